"""The clinical facts behind an authorization: read, checked, and found by its number."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .quarantine import mark_repeated_keys
from .reading import RawRow, Unread, read_integer, read_word, text_of, upper_of


@dataclass(frozen=True)
class ClinicalFacts:
    """What is documented of one authorization; None is what is not."""

    disease_extent: str | None = None
    no_response_to_preoperative_therapy: bool | None = None
    her2_ihc: int | None = None
    her2_ish_ratio: float | None = None
    her2_copy_number: float | None = None
    her2_test_approved: bool | None = None
    er_percent: float | None = None
    pr_percent: float | None = None
    visceral_crisis: bool | None = None
    endocrine_refractory: bool | None = None
    line_of_therapy: int | None = None
    germline_brca_mutation: bool | None = None
    pd_l1_cps: float | None = None
    t_dxd_candidate: bool | None = None
    regimen: str | None = None
    anthracycline_setting: str | None = None
    anthracycline_progressed_on_therapy: bool | None = None
    anthracycline_months_to_progression: float | None = None
    anthracycline_failed: bool | None = None
    taxane_setting: str | None = None
    taxane_progressed_on_therapy: bool | None = None
    taxane_months_to_progression: float | None = None
    taxane_failed: bool | None = None
    anthracycline_contraindicated: bool | None = None
    capecitabine_failed: bool | None = None
    ast_xuln: float | None = None
    alt_xuln: float | None = None
    bilirubin_xuln: float | None = None
    cremophor_hypersensitivity: bool | None = None
    disease_response: str | None = None
    unacceptable_toxicity: bool | None = None
    bsa_m2: float | None = None


WORDS = {
    "disease_extent": {
        "metastatic",
        "recurrent_unresectable",
        "recurrent_resectable",
        "locally_advanced",
        "inflammatory",
        "early",
    },
    "regimen": {"single_agent", "with_capecitabine", "with_trastuzumab", "other"},
    "anthracycline_setting": {"adjuvant", "metastatic"},
    "taxane_setting": {"adjuvant", "metastatic"},
    "disease_response": {"response", "stable", "progression"},
}
YES_OR_NO = (
    "no_response_to_preoperative_therapy",
    "her2_test_approved",
    "visceral_crisis",
    "endocrine_refractory",
    "germline_brca_mutation",
    "t_dxd_candidate",
    "anthracycline_progressed_on_therapy",
    "anthracycline_failed",
    "taxane_progressed_on_therapy",
    "taxane_failed",
    "anthracycline_contraindicated",
    "capecitabine_failed",
    "cremophor_hypersensitivity",
    "unacceptable_toxicity",
)
WHOLE_NUMBERS = ("her2_ihc", "line_of_therapy")
PERCENTS = ("er_percent", "pr_percent")
OTHER_NUMBERS = (
    "her2_ish_ratio",
    "her2_copy_number",
    "pd_l1_cps",
    "anthracycline_months_to_progression",
    "taxane_months_to_progression",
    "ast_xuln",
    "alt_xuln",
    "bilirubin_xuln",
)
NUMBERS = (*PERCENTS, *OTHER_NUMBERS, "bsa_m2")
YES = {"true", "t", "yes", "y", "1", "1.0"}
NO = {"false", "f", "no", "n", "0", "0.0"}

Rule = tuple[str, Callable[[Any], bool]]
NOT_BELOW_0: Rule = ("not_below_0", lambda value: value >= 0)
RULES: dict[str, tuple[Rule, ...]] = {
    "her2_ihc": (
        ("at_least_0", lambda value: value >= 0),
        ("at_most_3", lambda value: value <= 3),
    ),
    "line_of_therapy": (("at_least_1", lambda value: value >= 1),),
    "bsa_m2": (("above_0", lambda value: value > 0),),
    **dict.fromkeys(OTHER_NUMBERS, (NOT_BELOW_0,)),
    **{column: (NOT_BELOW_0, ("at_most_100", lambda value: value <= 100)) for column in PERCENTS},
}


@dataclass(frozen=True, eq=False)
class FactsRow:
    raw: RawRow
    values: dict[str, Any]
    failed: frozenset[str]  # checks by their whole names


def read_yes_or_no(text: str | None) -> bool | Unread | None:
    if text is None:
        return None
    if text.lower() in YES:
        return True
    return False if text.lower() in NO else Unread(text)


def read_number(text: str | None) -> float | Unread | None:
    if text is None:
        return None
    if not re.fullmatch(r"[+-]?[0-9]{1,15}(\.[0-9]+)?", text):
        return Unread(text)
    return float(text)


def read_facts(raw: RawRow) -> FactsRow:
    values: dict[str, Any] = {"authorization_number": upper_of(raw, "authorization_number")}
    for column, words in WORDS.items():
        values[column] = read_word(text_of(raw, column), words)
    for column in YES_OR_NO:
        values[column] = read_yes_or_no(text_of(raw, column))
    for column in WHOLE_NUMBERS:
        values[column] = read_integer(text_of(raw, column))
    for column in NUMBERS:
        values[column] = read_number(text_of(raw, column))
    failed = set() if values["authorization_number"] else {"authorization_number:not_null"}
    for column, value in values.items():
        failed |= failed_checks(column, value)
    return FactsRow(raw, values, frozenset(failed))


def failed_checks(column: str, value: Any) -> set[str]:
    if isinstance(value, Unread):
        return {f"{column}:known_value" if column in WORDS else f"{column}:readable"}
    if value is None:
        return set()
    return {f"{column}:{name}" for name, holds in RULES.get(column, ()) if not holds(value)}


def sort_out_facts(
    rows: list[FactsRow],
) -> tuple[dict[str, ClinicalFacts], list[tuple[FactsRow, set[str]]]]:
    """The facts by authorization number; the other rows with the checks they failed."""
    failed = [set(row.failed) for row in rows]
    mark_repeated_keys(rows, failed, lambda row: row.values["authorization_number"])
    good = {}
    for row, names in zip(rows, failed, strict=True):
        if not names:
            values = dict(row.values)
            number = values.pop("authorization_number")
            good[number] = ClinicalFacts(**values)
    bad = [(row, names) for row, names in zip(rows, failed, strict=True) if names]
    return good, bad
