"""What an analyst can decide, and for which reasons. `docs/review.md` has the same tables."""

from __future__ import annotations

from dataclasses import dataclass

from claims_edit.decision_contracts import DOCUMENTS, OVERRIDE, UPHOLD

# Each decision, and what it does to the line from the next run on.
DECISIONS = {
    UPHOLD: "The line stays as the run cut it; a flagged line is denied.",
    OVERRIDE: "All units of the line are allowed; of a claim with frequency 8, none.",
    DOCUMENTS: "Ask the provider for documents; nothing changes until then.",
}
DECIDED, ASSIGNED, UNDONE = "decided", "assigned", "undone"

OTHER = "other"
# Why a line is paid though an edit speaks against it, or for whatever else was decided.
REASONS = {
    "clinical-exception": "The patient's case warrants what the policy does not foresee",
    "prior-approval-on-file": "An approval is on file that the extract lacks",
    "data-error-payer": "Our own data were wrong or late",
    "data-error-provider-corrected": "The provider corrected the claim's data",
    "policy-not-applicable": "The edit asks what does not bear on this line",
    "appeal-upheld": "An appeal was decided for the provider",
    OTHER: "None of these; the note says what",
}
LONGEST_NAME, LONGEST_NOTE = 60, 2000


@dataclass(frozen=True)
class Decision:
    """What is decided, and why. `fault` says what is missing or wrong of it."""

    decision: str
    reason_code: str | None = None
    note: str | None = None

    @property
    def fault(self) -> str | None:
        """What keeps it from being kept, in a sentence; null where it is in order."""
        if self.decision not in DECISIONS:
            return "Choose a decision: uphold, override or documents."
        if self.reason_code is not None and self.reason_code not in REASONS:
            return "Choose one of the reasons there are."
        if self.decision == OVERRIDE and self.reason_code is None:
            return "An override needs a reason."
        if self.reason_code == OTHER and self.note is None:
            return f"The reason “{OTHER}” needs a note that says which."
        if self.note is not None and len(self.note) > LONGEST_NOTE:
            return f"The note is longer than {LONGEST_NOTE:,} characters."
        return None


def cleaned(text: str | None) -> str | None:
    """A text that somebody typed: trimmed, null where empty."""
    return (text or "").replace("\r\n", "\n").strip() or None


def name_of(text: str | None) -> str | None:
    """A name that somebody typed: one line, as long as a name is; null where empty."""
    return " ".join((text or "").split())[:LONGEST_NAME].strip() or None
