"""Which authorization the line stands on."""

from __future__ import annotations

import polars as pl

from claims_edit.edits.edit import Context, Edit, known, sentence
from claims_edit.frames import beside, matched
from claims_edit.normalise import millionths
from claims_edit.reference import in_force

_ENDS_BY = ["matched_effective_date", "authorization_months"]
_MATCHED_BY = ("effective_date", "expiration_date", "servicing_npi", "request_type")


def covering(lines: pl.DataFrame, context: Context) -> pl.DataFrame:
    """By `line`, ascending, the approved authorizations that cover its service date in matching order.

    Each with its place among all of them (`authorization`), its `authorization_number`, `approved` units
    in millionths (null is no unit limit), and what a line that it is matched with is told of it.
    """
    numbered = context.authorizations.with_row_index("authorization")
    approved = numbered.filter(pl.col("status") == "approved")
    found = _pairs(lines, pl.lit(True), approved).filter("covers")
    several = found.select(pl.col("line").rle_id().is_duplicated()).to_series()
    if several.any():
        sorted_out = found.filter(several).sort("line", *_matching_order(), nulls_last=True)
        found = pl.concat([found.filter(~several), sorted_out]).sort("line", maintain_order=True)
    return found.select(
        "line",
        "member_id",
        "authorization",
        "authorization_number",
        *_MATCHED_BY,
        approved=millionths(pl.col("approved_units")),
    )


def facts(lines: pl.DataFrame, covering: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Adds the matched authorization, the first of those `covering` it, and, of lines that have none,
    what others there are."""
    first = covering.filter(pl.col("line").is_first_distinct())
    lines = beside(
        lines,
        first.select(
            "line",
            matched_authorization_number="authorization_number",
            **{f"matched_{c}": pl.col(c) for c in _MATCHED_BY},
        ),
    )
    rejected = context.rejected_authorizations.select(
        "member_id", "hcpcs_code", unreadable_authorization=pl.lit(True)
    ).unique()
    lines = beside(lines, _others(lines, context.authorizations))
    lines = matched(lines, rejected, ["member_id", "hcpcs_code"]).with_columns(
        pl.col("pending_covers", "denied_covers", "unreadable_authorization").fill_null(False)
    )
    ends = lines.select(_ENDS_BY).unique().with_columns(matched_latest_end=latest_end())
    return matched(lines, ends, _ENDS_BY)


def _others(lines: pl.DataFrame, authorizations: pl.DataFrame) -> pl.DataFrame:
    """By line without a matched authorization, what others of use the member has."""
    unmatched = pl.col("matched_authorization_number").is_null()
    of_use = authorizations.filter(pl.col("status") != "cancelled")
    pairs = _pairs(lines, unmatched, of_use)
    approved, pending, denied = (pl.col("status") == s for s in ("approved", "pending", "denied"))
    before = pl.col("expiration_date") < pl.col("claim_line_start_date")
    after = pl.col("effective_date") > pl.col("claim_line_start_date")
    return pairs.group_by("line").agg(
        pending_covers=(pending & pl.col("covers")).any(),
        denied_covers=(denied & pl.col("covers")).any(),
        pending_number=_first_number(pending & pl.col("covers")),
        denied_number=_first_number(denied & pl.col("covers")),
        expired_on=pl.col("expiration_date").filter(approved & known(before)).max(),
        starts_on=pl.col("effective_date").filter(approved & after).min(),
        expired_number=_last_to(approved & known(before), "expiration_date", latest=True),
        starting_number=_last_to(approved & after, "effective_date", latest=False),
    )


def _pairs(lines: pl.DataFrame, which: pl.Expr, authorizations: pl.DataFrame) -> pl.DataFrame:
    """Every line of the drug that is asked for, in order, beside every authorization of its member and
    HCPCS, and whether it `covers` the date."""
    service = pl.col("claim_line_start_date")
    asked = (
        lines.lazy()
        .filter(pl.col("asked_as") == "drug", which)
        .select("line", "member_id", "hcpcs_code", service, billed="authorization_number")
        .collect()
    )
    return asked.join(
        authorizations,
        on=["member_id", "hcpcs_code"],
        maintain_order="left",
    ).with_columns(covers=in_force(service, pl.col("effective_date"), pl.col("expiration_date")))


def _matching_order() -> tuple[pl.Expr, ...]:
    """The billed number's first, then the earliest to expire, open-ended last, ties by number."""
    other = ~known(pl.col("billed") == pl.col("authorization_number"))
    return other, pl.col("expiration_date"), pl.col("authorization_number")


def _first_number(condition: pl.Expr) -> pl.Expr:
    return pl.col("authorization_number").filter(condition).min()


def _last_to(condition: pl.Expr, day: str, *, latest: bool) -> pl.Expr:
    """The number of the one with the latest or the earliest day, the smallest of equals."""
    by = pl.col(day).filter(condition)
    numbers = pl.col("authorization_number").filter(condition)
    return numbers.sort_by(by, numbers, descending=[latest, False]).first()


def latest_end() -> pl.Expr:
    """The last day that the policy's months allow: the same day of a later month, or its last."""
    months = pl.format("{}mo", pl.col("authorization_months"))
    return pl.col("matched_effective_date").dt.offset_by(months)


_NONE_APPROVED = pl.col("matched_authorization_number").is_null()
_NO_PENDING = _NONE_APPROVED & ~pl.col("pending_covers")
_NEITHER = _NO_PENDING & ~pl.col("denied_covers")
_EXPIRED = _NEITHER & pl.col("expired_on").is_not_null()
_NOT_STARTED = _NEITHER & pl.col("expired_on").is_null() & pl.col("starts_on").is_not_null()
_ABSENT = _NEITHER & pl.col("expired_on").is_null() & pl.col("starts_on").is_null()
_MATCHED = ~_NONE_APPROVED


def _unless_unreadable(fails: pl.Expr) -> pl.Expr:
    """Cannot tell where a rejected authorization may be the one: bad data of our own denies nobody."""
    return pl.when(~(fails & pl.col("unreadable_authorization"))).then(fails)


_UNREADABLE = sentence(
    "no authorization of {} covers {}, and a row of the authorizations for the member and this code "
    "was rejected (see rejected_authorizations)",
    "hcpcs_code",
    "claim_line_start_date",
)
_DATES = ("claim_line_start_date", "authorization_number")
_MATCH = (
    "claim_line_start_date",
    "authorization_number",
    "matched_authorization_number",
    "matched_effective_date",
    "matched_expiration_date",
)

EDITS = (
    Edit(
        id="authorization-absent",
        title="The member has an authorization for the drug",
        fails=_unless_unreadable(_ABSENT),
        message=sentence(
            "the member has no authorization of {} for {}", "hcpcs_code", "claim_line_start_date"
        ),
        unknown_message=_UNREADABLE,
        evidence=(*_DATES, "unreadable_authorization"),
        group_code="CO",
        carc="197",
    ),
    Edit(
        id="authorization-pending",
        title="The authorization that covers the date is decided",
        fails=_NONE_APPROVED & pl.col("pending_covers"),
        message=sentence(
            "authorization {} covers {} and is pending", "pending_number", "claim_line_start_date"
        ),
        evidence=(*_DATES, "pending_number"),
        group_code="CO",
        carc="197",
    ),
    Edit(
        id="authorization-denied",
        title="The authorization that covers the date was not denied",
        fails=_NO_PENDING & pl.col("denied_covers"),
        message=sentence(
            "authorization {} covers {} and was denied", "denied_number", "claim_line_start_date"
        ),
        evidence=(*_DATES, "denied_number"),
        group_code="CO",
        carc="39",
    ),
    Edit(
        id="authorization-expired",
        title="The authorization had not ended",
        fails=_unless_unreadable(_EXPIRED),
        message=sentence(
            "authorization {} ended on {}, before the service on {}",
            "expired_number",
            "expired_on",
            "claim_line_start_date",
        ),
        unknown_message=_UNREADABLE,
        evidence=(*_DATES, "expired_number", "expired_on", "unreadable_authorization"),
        group_code="CO",
        carc="302",
    ),
    Edit(
        id="authorization-not-started",
        title="The authorization had begun",
        fails=_unless_unreadable(_NOT_STARTED),
        message=sentence(
            "authorization {} starts on {}, after the service on {}",
            "starting_number",
            "starts_on",
            "claim_line_start_date",
        ),
        unknown_message=_UNREADABLE,
        evidence=(*_DATES, "starting_number", "starts_on", "unreadable_authorization"),
        group_code="CO",
        carc="197",
    ),
    Edit(
        id="authorization-number-mismatch",
        title="The billed authorization number is the matched one",
        fails=_MATCHED
        & known(pl.col("authorization_number") != pl.col("matched_authorization_number")),
        message=sentence(
            "the line bills authorization {}, and {} is the one that covers {}",
            "authorization_number",
            "matched_authorization_number",
            "claim_line_start_date",
        ),
        evidence=_MATCH,
        group_code="CO",
        carc="16",
        rarc="N54",
    ),
    Edit(
        id="authorization-provider-mismatch",
        title="The provider is the one the authorization names",
        fails=pl.when(_NONE_APPROVED | pl.col("matched_servicing_npi").is_null())
        .then(False)
        .when(pl.col("rendering_npi").is_not_null() | pl.col("billing_npi").is_not_null())
        .then(
            ~known(pl.col("rendering_npi") == pl.col("matched_servicing_npi"))
            & ~known(pl.col("billing_npi") == pl.col("matched_servicing_npi"))
        ),
        message=sentence(
            "authorization {} is for provider {}; the rendering provider is {}, the billing provider {}",
            "matched_authorization_number",
            "matched_servicing_npi",
            pl.col("rendering_npi").fill_null("not given"),
            pl.col("billing_npi").fill_null("not given"),
        ),
        unknown_message=sentence(
            "authorization {} is for provider {}; the line names neither rendering nor billing provider",
            "matched_authorization_number",
            "matched_servicing_npi",
        ),
        evidence=(*_MATCH, "matched_servicing_npi", "rendering_npi", "billing_npi"),
        group_code="CO",
        carc="296",
    ),
    Edit(
        id="authorization-span-exceeds-policy",
        title="The authorization is no longer than the policy grants",
        fails=_MATCHED
        & (
            pl.col("matched_expiration_date").is_null()
            | known(pl.col("matched_expiration_date") > pl.col("matched_latest_end"))
        ),
        message=sentence(
            "authorization {} starts on {} and {}; the policy grants {} months, to {}",
            "matched_authorization_number",
            "matched_effective_date",
            pl.when(pl.col("matched_expiration_date").is_null())
            .then(pl.lit("has no end"))
            .otherwise(pl.format("ends on {}", pl.col("matched_expiration_date"))),
            "authorization_months",
            "matched_latest_end",
        ),
        evidence=(*_MATCH, "authorization_months", "matched_latest_end"),
        group_code="CO",
        carc="16",
        rarc="N54",
    ),
)
