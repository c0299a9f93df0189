"""What is decided of a line: its findings, its units, and the codes that they are told by."""

from dataclasses import dataclass, field
from decimal import Decimal

from .limits import Draw
from .quarantine import Line
from .reference import Version

Codes = tuple[str | None, str | None, str | None]
NO_CODES: Codes = (None, None, None)

# In the order in which findings stand and a primary edit is chosen among equals.
CODES: dict[str, Codes] = {
    "medicare-not-governed": NO_CODES,
    "no-policy-in-force": NO_CODES,
    "original-claim-unknown": ("CO", "16", "M47"),
    "ndc-billed-under-other-code": ("CO", "16", "N846"),
    "program-terms-govern": NO_CODES,
    "procedure-not-effective": ("CO", "181", None),
    "service-date-future": ("CO", "110", None),
    "service-date-span": ("CO", "16", "M52"),
    "service-date-unclear": ("CO", "16", "M52"),
    "units-not-whole": ("CO", "16", "M53"),
    "duplicate-line": ("OA", "18", None),
    "member-under-age": ("CO", "6", "N129"),
    "diagnosis-missing": ("CO", "16", "M76"),
    "diagnosis-pointer-invalid": ("CO", "16", "M76"),
    "diagnosis-not-pointed": ("CO", "11", None),
    "diagnosis-unlisted": ("CO", "167", "N569"),
    "diagnosis-invalid": ("CO", "146", None),
    "diagnosis-not-covered": ("CO", "167", "N569"),
    "diagnosis-history-only": ("CO", "11", None),
    "diagnosis-sex-conflict": ("CO", "16", "M76"),
    "ndc-missing": ("CO", "16", "M119"),
    "ndc-invalid": ("CO", "16", "M119"),
    "ndc-mismatch": ("CO", "16", "N846"),
    "ndc-units-conflict": ("CO", "16", "N815"),
    "wastage-contradiction": ("CO", "4", None),
    "wastage-modifier-missing": ("CO", "16", "N822"),
    "authorization-absent": ("CO", "197", None),
    "authorization-pending": ("CO", "197", None),
    "authorization-denied": ("CO", "39", None),
    "authorization-expired": ("CO", "302", None),
    "authorization-not-started": ("CO", "197", None),
    "authorization-number-mismatch": ("CO", "16", "N54"),
    "authorization-provider-mismatch": ("CO", "296", None),
    "authorization-span-exceeds-policy": ("CO", "16", "N54"),
    "coverage-criteria": ("CO", "272", None),
    "dose-exceeds-body-surface": ("CO", "153", None),
    "combination-partner-missing": ("CO", "16", "N54"),
    "units-per-dose": ("CO", "151", "N362"),
    "units-per-period": ("CO", "151", "N640"),
    "authorization-units-exceeded": ("CO", "198", None),
}
ORDER = list(CODES)


@dataclass(frozen=True)
class Finding:
    edit_id: str
    verdict: str
    action: str
    section: str | None


@dataclass(eq=False)
class Decision:
    """What is decided of one line, as it grows."""

    line: Line
    version: Version | None
    allowed: Decimal
    findings: list[Finding] = field(default_factory=list)
    fate: str | None = None  # void or superseded
    governed_drug_line: bool = False
    matched_number: str | None = None
    took_part: bool = False  # in the limits
    draws: list[Draw] = field(default_factory=list)

    @property
    def denied(self) -> bool:
        return any(finding.action == "deny" for finding in self.findings)

    def find(self, edit_id: str, verdict: str | None) -> None:
        """Adds a finding, if the version in force asks the edit and wants it told."""
        terms = self.version.edits.get(edit_id) if self.version else None
        if terms is None or verdict not in ("fail", "unknown"):
            return
        action = terms.fail if verdict == "fail" else terms.unknown
        if action != "off":
            self.findings.append(Finding(edit_id, verdict, action, terms.section))

    def find_governance(self, edit_id: str) -> None:
        terms = self.version.edits.get(edit_id) if self.version else None
        self.findings.append(Finding(edit_id, "fail", "flag", terms.section if terms else None))
