"""All edits in their order, which is also the order in which a primary finding is chosen."""

from __future__ import annotations

from claims_edit.edits import (
    authorization,
    claim,
    criteria,
    diagnosis,
    dose,
    duplicate,
    governance,
    limit,
    member,
    ndc,
    partner,
    wastage,
)
from claims_edit.edits.edit import Edit

_BY_ID = {
    edit.id: edit
    for family in (
        authorization.EDITS,
        claim.EDITS,
        criteria.EDITS,
        diagnosis.EDITS,
        dose.EDITS,
        duplicate.EDITS,
        governance.EDITS,
        limit.EDITS,
        member.EDITS,
        ndc.EDITS,
        partner.EDITS,
        wastage.EDITS,
    )
    for edit in family
}

_ORDER = (
    "medicare-not-governed",
    "no-policy-in-force",
    "original-claim-unknown",
    "ndc-billed-under-other-code",
    "program-terms-govern",
    "procedure-not-effective",
    "service-date-future",
    "service-date-span",
    "service-date-unclear",
    "units-not-whole",
    "duplicate-line",
    "member-under-age",
    "diagnosis-missing",
    "diagnosis-pointer-invalid",
    "diagnosis-not-pointed",
    "diagnosis-unlisted",
    "diagnosis-invalid",
    "diagnosis-not-covered",
    "diagnosis-history-only",
    "diagnosis-sex-conflict",
    "ndc-missing",
    "ndc-invalid",
    "ndc-mismatch",
    "ndc-units-conflict",
    "wastage-contradiction",
    "wastage-modifier-missing",
    "authorization-absent",
    "authorization-pending",
    "authorization-denied",
    "authorization-expired",
    "authorization-not-started",
    "authorization-number-mismatch",
    "authorization-provider-mismatch",
    "authorization-span-exceeds-policy",
    "coverage-criteria",
    "dose-exceeds-body-surface",
    "combination-partner-missing",
    "units-per-dose",
    "units-per-period",
    "authorization-units-exceeded",
)

EDITS: dict[str, Edit] = {edit_id: _BY_ID[edit_id] for edit_id in _ORDER}
ORDER: dict[str, int] = {edit_id: i for i, edit_id in enumerate(EDITS)}

# The edits that a limit of units in a window of days may be written for.
LIMITS = ("units-per-dose", "units-per-period")
