"""Whether the clinical facts behind the authorization meet the policy's criteria."""

from __future__ import annotations

import polars as pl

from claims_edit.clinical_contracts import CLINICAL_FACTS, in_words
from claims_edit.edits.edit import Context, Edit, agreeing, listed, sentence
from claims_edit.frames import matched
from claims_edit.nearest import EXPLANATION, judged

_NUMBER = "matched_authorization_number"
_ASKED = [_NUMBER, "policy_version"]
_OF_FACTS = ("facts_given", "bsa_m2", "regimen")
_NAMES = {fact: in_words(fact) for fact in CLINICAL_FACTS.columns}


def facts(lines: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Adds what is documented of the matched authorization, and whether it meets the criteria.

    `facts_given` says whether there is a row of facts; `bsa_m2` and `regimen` are of it. The criteria
    are those of the line's policy version and the authorization's kind of request, initial unless
    it says otherwise; what was found is in columns `criteria_met`, `criteria_branch` …
    """
    asked = _asked(lines, context)
    found = [
        judged(
            tree,
            context.criteria_terms,
            asked.filter(
                pl.col("facts_given"),
                pl.col("policy_version") == version,
                pl.col("request_type") == request,
            ),
        )
        for (version, request), tree in context.criteria.items()
    ]
    nothing = asked.clear().with_columns(
        pl.lit(None, dtype=t).alias(c) for c, t in EXPLANATION.items()
    )
    results = pl.concat([nothing, *found]).select(
        *_ASKED,
        pl.col(EXPLANATION).name.prefix("criteria_"),
        criteria_missing_in_words=_in_words("missing"),
        criteria_open_in_words=_in_words("open"),
    )
    asked = asked.select(*_ASKED, *_OF_FACTS, criteria_request_type="request_type")
    return matched(matched(lines, asked, _ASKED), results, _ASKED)


def _in_words(facts: str) -> pl.Expr:
    return pl.col(facts).list.eval(pl.element().replace(_NAMES))


def _asked(lines: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Each matched authorization once a policy version, with its facts."""
    given = context.clinical_facts.rename({"authorization_number": _NUMBER}).with_columns(
        facts_given=pl.lit(True)
    )
    return (
        lines.filter(pl.col(_NUMBER).is_not_null())
        .select(*_ASKED, request_type=pl.col("matched_request_type").fill_null("initial"))
        .unique()
        .join(given, on=_NUMBER, how="left")
        .with_columns(pl.col("facts_given").fill_null(False))
    )


_BRANCH = pl.when(pl.col("criteria_branch") != "").then(
    pl.format("; nearest is {}", "criteria_branch")
)
_MISSING = pl.col("criteria_missing").list.len()
_LACKING = pl.when(_MISSING > 0).then(
    pl.format(
        "{} {} not documented",
        listed("criteria_missing_in_words"),
        agreeing("criteria_missing", "is", "are"),
    )
)
_CONTRADICTED = pl.when(pl.col("criteria_contradicted").list.len() > 0).then(
    pl.format("the results for {} contradict each other", listed("criteria_contradicted"))
)

EDITS = (
    Edit(
        id="coverage-criteria",
        title="The clinical facts of the authorization meet the policy's criteria",
        reads_clinical_facts=True,
        fails=pl.when(pl.col(_NUMBER).is_null()).then(False).otherwise(~pl.col("criteria_met")),
        message=sentence(
            "authorization {} does not meet the criteria of {} approval{}, and fails because {}{}",
            _NUMBER,
            "criteria_request_type",
            _BRANCH.fill_null(""),
            pl.col("criteria_not_met").list.join("; "),
            pl.when(_MISSING > 0)
            .then(pl.format("; not documented: {}", listed("criteria_missing_in_words")))
            .otherwise(pl.lit("")),
        ),
        unknown_message=pl.when(~pl.col("facts_given"))
        .then(
            sentence(
                "cannot tell: the clinical extract has no readable facts of authorization {}",
                _NUMBER,
            )
        )
        .otherwise(
            sentence(
                "cannot tell whether authorization {} meets the criteria of {} approval{}: {}",
                _NUMBER,
                "criteria_request_type",
                _BRANCH.fill_null(""),
                pl.concat_str([_LACKING, _CONTRADICTED], separator=", and ", ignore_nulls=True),
            )
        ),
        evidence=(
            _NUMBER,
            "criteria_request_type",
            "facts_given",
            "criteria_branch",
            "criteria_not_met",
            "criteria_undecided",
            "criteria_contradicted",
            "criteria_missing",
        ),
        group_code="CO",
        carc="272",
    ),
)
