"""The clinical facts behind an authorization: the only list of their columns."""

from __future__ import annotations

import polars as pl

from claims_edit.pandera_alone import pa
from claims_edit.schemas import (
    check,
    choice,
    code,
    column,
    integer,
    not_negative,
    positive,
    schema,
)

# The words of each fact that is one of several.
WORDS: dict[str, tuple[str, ...]] = {
    "disease_extent": (
        "metastatic",
        "recurrent_unresectable",
        "recurrent_resectable",
        "locally_advanced",
        "inflammatory",
        "early",
    ),
    "regimen": ("single_agent", "with_capecitabine", "with_trastuzumab", "other"),
    "anthracycline_setting": ("adjuvant", "metastatic"),
    "taxane_setting": ("adjuvant", "metastatic"),
    "disease_response": ("response", "stable", "progression"),
}


def _word(name: str, description: str) -> pa.Column:
    return choice(description, *WORDS[name])


def _yes_or_no(description: str) -> pa.Column:
    return column(pl.Boolean, description)


def _number(description: str) -> pa.Column:
    return not_negative(pl.Float64, description)


def _percent(description: str) -> pa.Column:
    bounds = (
        check("not_below_0", lambda c: c >= 0),
        check("at_most_100", lambda c: c <= 100),
    )
    return column(pl.Float64, description, *bounds)


def _treatment(drug: str) -> dict[str, pa.Column]:
    name = f"{drug}_setting"
    return {
        name: _word(name, f"setting of the {drug} therapy"),
        f"{drug}_progressed_on_therapy": _yes_or_no(f"progression while on {drug} therapy"),
        f"{drug}_months_to_progression": _number(f"months from {drug} therapy to progression"),
        f"{drug}_failed": _yes_or_no(f"failure of {drug} therapy"),
    }


# A description says what is not documented where the fact is missing.
CLINICAL_FACTS = schema(
    "clinical",
    {
        "authorization_number": code("the authorization", nullable=False),
        "disease_extent": _word("disease_extent", "extent of the disease"),
        "no_response_to_preoperative_therapy": _yes_or_no("response to preoperative therapy"),
        "her2_ihc": integer("HER2 immunohistochemistry (0 to 3)", 0, 3),
        "her2_ish_ratio": _number("HER2/CEP17 ratio (dual-probe ISH)"),
        "her2_copy_number": _number("average HER2 copy number (dual-probe ISH)"),
        "her2_test_approved": _yes_or_no("approval of the HER2 test (FDA or CLIA)"),
        "er_percent": _percent("estrogen receptor, percent of cells"),
        "pr_percent": _percent("progesterone receptor, percent of cells"),
        "visceral_crisis": _yes_or_no("visceral crisis"),
        "endocrine_refractory": _yes_or_no(
            "whether the disease is refractory to endocrine therapy"
        ),
        "line_of_therapy": integer("line of therapy", 1),
        "germline_brca_mutation": _yes_or_no("germline BRCA 1/2 mutation"),
        "pd_l1_cps": _number("PD-L1 combined positive score (CPS)"),
        "t_dxd_candidate": _yes_or_no("candidacy for fam-trastuzumab deruxtecan"),
        "regimen": _word("regimen", "regimen"),
        **_treatment("anthracycline"),
        **_treatment("taxane"),
        "anthracycline_contraindicated": _yes_or_no(
            "whether further anthracycline therapy is contraindicated"
        ),
        "capecitabine_failed": _yes_or_no("failure of capecitabine"),
        "ast_xuln": _number("AST in multiples of the upper limit of normal"),
        "alt_xuln": _number("ALT in multiples of the upper limit of normal"),
        "bilirubin_xuln": _number("bilirubin in multiples of the upper limit of normal"),
        "cremophor_hypersensitivity": _yes_or_no("hypersensitivity to Cremophor EL"),
        "disease_response": _word("disease_response", "response of the disease to treatment"),
        "unacceptable_toxicity": _yes_or_no("unacceptable toxicity"),
        "bsa_m2": positive(pl.Float64, "body surface area in square metres"),
    },
)


def in_words(fact: str) -> str:
    """A fact as people name it; of one that is one of several words, without them."""
    description: str = CLINICAL_FACTS.columns[fact].description
    return description.partition(":")[0]
