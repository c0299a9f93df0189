"""Authorizations: which one matches a line, and the edits that ask about it."""

import calendar
from datetime import date

from .edits import Facts, Verdict, fail_if
from .quarantine import Authorization, Line


def of_the_member(line: Line, facts: Facts) -> list[Authorization]:
    return [
        one
        for one in facts.authorizations
        if one.member_id == line.member_id and one.hcpcs_code == line.hcpcs_code
    ]


def with_status(status: str, line: Line, facts: Facts) -> list[Authorization]:
    return [one for one in of_the_member(line, facts) if one.status == status]


def approved_covering(line: Line, facts: Facts) -> list[Authorization]:
    """In matching order: the billed number's, the earliest to expire, ties by number."""
    covering = [one for one in with_status("approved", line, facts) if one.covers(line.start)]
    return sorted(
        covering,
        key=lambda one: (
            one.number != line.authorization_number,
            one.expiration is None,
            one.expiration or date.max,
            one.number,
        ),
    )


def matched(line: Line, facts: Facts) -> Authorization | None:
    covering = approved_covering(line, facts)
    return covering[0] if covering else None


def standing(line: Line, facts: Facts) -> str:
    """The one word for what the member's authorizations say of the service date."""
    if matched(line, facts) is not None:
        return "approved"
    if any(one.covers(line.start) for one in with_status("pending", line, facts)):
        return "pending"
    if any(one.covers(line.start) for one in with_status("denied", line, facts)):
        return "denied"
    approved = with_status("approved", line, facts)
    if any(one.expiration is not None and one.expiration < line.start for one in approved):
        return "expired"
    if any(one.effective > line.start for one in approved):
        return "not started"
    return "absent"


def fail_unless_rejected(failed: bool, line: Line, facts: Facts) -> Verdict:
    """A rejected authorization that may be this member's makes a fail an unknown."""
    if failed and (line.member_id, line.hcpcs_code) in facts.rejected_authorizations:
        return "unknown"
    return fail_if(failed)


def authorization_absent(line: Line, facts: Facts) -> Verdict:
    return fail_unless_rejected(standing(line, facts) == "absent", line, facts)


def authorization_pending(line: Line, facts: Facts) -> Verdict:
    return fail_if(standing(line, facts) == "pending")


def authorization_denied(line: Line, facts: Facts) -> Verdict:
    return fail_if(standing(line, facts) == "denied")


def authorization_expired(line: Line, facts: Facts) -> Verdict:
    return fail_unless_rejected(standing(line, facts) == "expired", line, facts)


def authorization_not_started(line: Line, facts: Facts) -> Verdict:
    return fail_unless_rejected(standing(line, facts) == "not started", line, facts)


def authorization_number_mismatch(line: Line, facts: Facts) -> Verdict:
    one = matched(line, facts)
    if one is None or line.authorization_number is None:
        return "pass"
    return fail_if(line.authorization_number != one.number)


def authorization_provider_mismatch(line: Line, facts: Facts) -> Verdict:
    one = matched(line, facts)
    if one is None or one.servicing_npi is None:
        return "pass"
    if line.rendering_npi is None and line.billing_npi is None:
        return "unknown"
    return fail_if(one.servicing_npi not in (line.rendering_npi, line.billing_npi))


def authorization_span_exceeds_policy(line: Line, facts: Facts) -> Verdict:
    one, months = matched(line, facts), facts.version.authorization_months
    if months is None:
        return None
    if one is None:
        return "pass"
    return fail_if(one.expiration is None or one.expiration > plus_months(one.effective, months))


def plus_months(day: date, months: int) -> date:
    """Keeps the day, or takes the month's last."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    last = calendar.monthrange(year, month0 + 1)[1]
    return date(year, month0 + 1, min(day.day, last))


AUTHORIZATION_EDITS = {
    "authorization-absent": authorization_absent,
    "authorization-pending": authorization_pending,
    "authorization-denied": authorization_denied,
    "authorization-expired": authorization_expired,
    "authorization-not-started": authorization_not_started,
    "authorization-number-mismatch": authorization_number_mismatch,
    "authorization-provider-mismatch": authorization_provider_mismatch,
    "authorization-span-exceeds-policy": authorization_span_exceeds_policy,
}
