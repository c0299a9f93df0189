"""Every tree of criteria as its branches: what each requires, and facts with which it holds.

A branch is met when all its leaves hold; a tree is met when one of its branches is.
"""

from collections.abc import Callable
from dataclasses import dataclass

from . import criteria as c
from . import made_up_criteria as m
from . import terms as t
from .clinical import ClinicalFacts
from .dice import Row
from .kleene import Truth, at_least, below, equal, not_, or_

Tree = tuple[str, str, str]  # policy id, version, request type


@dataclass(frozen=True, eq=False)
class Leaf:
    name: str
    holds: Callable[[ClinicalFacts], Truth]
    ways: tuple[Row, ...] = ({},)  # facts with which it holds, other leaves aside


Branch = tuple[Leaf, ...]


def is_true(fact: str) -> Leaf:
    return Leaf(fact, lambda facts: getattr(facts, fact), ({fact: "true"},))


def is_false(fact: str) -> Leaf:
    return Leaf(f"not {fact}", lambda facts: not_(getattr(facts, fact)), ({fact: "false"},))


def one_of(fact: str, *values: str) -> tuple[Row, ...]:
    return tuple({fact: value} for value in values)


def is_line(number: int) -> Leaf:
    ways = one_of("line_of_therapy", str(number))
    return Leaf(f"line {number}", lambda facts: equal(facts.line_of_therapy, number), ways)


def is_line_or_later(number: int) -> Leaf:
    ways = one_of("line_of_therapy", str(number), str(number), str(number + 2))
    return Leaf(f"line {number}+", lambda facts: at_least(facts.line_of_therapy, number), ways)


# HER2 and receptors


def her2(ihc: str, ratio: str, copies: str) -> Row:
    cells = {"her2_ihc": ihc, "her2_ish_ratio": ratio, "her2_copy_number": copies}
    return {fact: value for fact, value in cells.items() if value}


NEGATIVE = (
    her2("0", "", ""),
    her2("1", "", ""),
    her2("", "1.9", "3.9"),
    her2("2", "1.99", "3.99"),
    her2("2", "2.0", "3.9"),
    her2("0", "2", "3.99"),
    her2("1", "1.99", "6.0"),
    her2("2", "1.9", "4.0"),
    her2("1", "1.9", "5.99"),
)
POSITIVE = (
    her2("3", "", ""),
    her2("", "2.0", "4.0"),
    her2("2", "2", "6"),
    her2("3", "2.5", "3.9"),
    her2("2", "1.9", "6.0"),
    her2("3", "1.99", "7"),
    her2("3", "1.9", "5.99"),
)


def approved(ways: tuple[Row, ...]) -> tuple[Row, ...]:
    return tuple(way | {"her2_test_approved": "true"} for way in ways)


HER2_NEGATIVE = Leaf("HER2 negative", t.her2_negative, NEGATIVE)
HER2_POSITIVE = Leaf("HER2 positive", t.her2_positive, POSITIVE)
APPROVED_NEGATIVE = Leaf("HER2 negative", c.prime_her2_negative, approved(NEGATIVE))
APPROVED_POSITIVE = Leaf("HER2 positive", c.prime_her2_positive, approved(POSITIVE))
RECEPTOR_POSITIVE = Leaf(
    "hormone receptors",
    t.hormone_receptor_positive,
    (
        {"er_percent": "1"},
        {"pr_percent": "1.0"},
        {"er_percent": "0.99", "pr_percent": "50"},
        {"er_percent": "100", "pr_percent": "0"},
    ),
)
TRIPLE_NEGATIVE = Leaf(
    "triple negative",
    t.triple_negative,
    (
        her2("0", "", "") | {"er_percent": "0", "pr_percent": "0.99"},
        her2("2", "1.9", "3.9") | {"er_percent": "0.99", "pr_percent": "0"},
    ),
)

# Treatments


def resistant(drug: str, adjuvant: str, metastatic: str) -> tuple[Row, ...]:
    setting, months = f"{drug}_setting", f"{drug}_months_to_progression"
    return (
        {f"{drug}_progressed_on_therapy": "true"},
        {setting: "adjuvant", months: adjuvant},
        {setting: "metastatic", months: metastatic, f"{drug}_progressed_on_therapy": "false"},
        {setting: "adjuvant", months: metastatic},
    )


def failed(drug: str) -> Row:
    return {f"{drug}_failed": "true"}


NO_ANTHRACYCLINE = resistant("anthracycline", "6", "3.0")
NO_TAXANE = resistant("taxane", "12.0", "4")
ANTHRACYCLINE_RESISTANT = Leaf(
    "anthracycline resistant", t.anthracycline_resistant, NO_ANTHRACYCLINE
)
TAXANE_RESISTANT = Leaf("taxane resistant", t.taxane_resistant, NO_TAXANE)
ANTHRACYCLINE_OVER = Leaf(
    "anthracycline failed or resistant",
    c.anthracycline_failed_or_resistant,
    (failed("anthracycline"), *NO_ANTHRACYCLINE),
)
TAXANE_OVER = Leaf(
    "taxane failed or resistant", c.taxane_failed_or_resistant, (failed("taxane"), *NO_TAXANE)
)
CONTRAINDICATED = is_true("anthracycline_contraindicated")
SINGLE = Leaf("single agent", t.single_agent, one_of("regimen", "single_agent"))
CAPECITABINE = Leaf(
    "with capecitabine", t.with_capecitabine, one_of("regimen", "with_capecitabine")
)
TRASTUZUMAB = Leaf("with trastuzumab", t.with_trastuzumab, one_of("regimen", "with_trastuzumab"))

# The patient

HEALTHY: tuple[Row, ...] = (
    {"ast_xuln": "2.5", "alt_xuln": "1", "bilirubin_xuln": "1"},
    {"ast_xuln": "0.5", "alt_xuln": "2.50", "bilirubin_xuln": "1.0"},
)
LIVER = Leaf("liver", t.liver_within_limits, HEALTHY)


def liver_if_with_capecitabine(facts: ClinicalFacts) -> Truth:
    return or_(c.not_with_capecitabine(facts), t.liver_within_limits(facts))


NO_LIVER_ASKED = Leaf("liver if with capecitabine", liver_if_with_capecitabine)
LIVER_ASKED = Leaf("liver if with capecitabine", liver_if_with_capecitabine, HEALTHY)
NO_CREMOPHOR = is_false("cremophor_hypersensitivity")
NO_TOXICITY = is_false("unacceptable_toxicity")
NO_PROGRESSION = Leaf(
    "no progression", c.no_progression, one_of("disease_response", "response", "stable")
)
STABLE = Leaf(
    "response or stable", c.response_or_stable, one_of("disease_response", "response", "stable")
)
CRISIS = Leaf(
    "visceral crisis or endocrine refractory",
    c.visceral_crisis_or_endocrine_refractory,
    ({"visceral_crisis": "true"}, {"endocrine_refractory": "true", "visceral_crisis": "false"}),
)
NO_BRCA = is_false("germline_brca_mutation")
LOW_SCORE = Leaf("CPS", lambda facts: below(facts.pd_l1_cps, 10), one_of("pd_l1_cps", "9.99", "0"))

# Extents

EXTENT_A = Leaf(
    "extent",
    c.prime_extent_of_a,
    (
        *one_of("disease_extent", "metastatic", "recurrent_unresectable"),
        {"disease_extent": "inflammatory", "no_response_to_preoperative_therapy": "true"},
    ),
)
ADVANCED = Leaf(
    "extent",
    c.locally_advanced_or_metastatic,
    one_of("disease_extent", "locally_advanced", "metastatic", "inflammatory"),
)
NO_RESPONSE: Row = {"disease_extent": "early", "no_response_to_preoperative_therapy": "true"}
BCBST_A = Leaf(
    "extent",
    c.bcbst_extent_of_a,
    (
        *one_of("disease_extent", "locally_advanced", "recurrent_unresectable", "metastatic"),
        {"disease_extent": "inflammatory"},
        NO_RESPONSE,
    ),
)
BCBST_B = Leaf(
    "extent",
    lambda facts: c.bcbst_extent_of_b(facts, "current"),
    (
        *one_of("disease_extent", "recurrent_resectable", "recurrent_unresectable", "metastatic"),
        NO_RESPONSE,
    ),
)
BCBST_DRAFT_B = Leaf(
    "extent",
    lambda facts: c.bcbst_extent_of_b(facts, "2026-draft"),
    (*one_of("disease_extent", "recurrent_unresectable", "metastatic"), NO_RESPONSE),
)

# The trees

PRIME_A1: Branch = (NO_CREMOPHOR, NO_LIVER_ASKED, EXTENT_A, APPROVED_NEGATIVE, SINGLE)
PRIME_A1A: Branch = (*PRIME_A1, RECEPTOR_POSITIVE, CRISIS)
PRIME_A1B: Branch = (*PRIME_A1, TRIPLE_NEGATIVE)
PRIME_B: Branch = (NO_CREMOPHOR, ADVANCED)
WITH_IT: Branch = (LIVER_ASKED, CAPECITABINE)
AFTER_IT: Branch = (NO_LIVER_ASKED, SINGLE, is_true("capecitabine_failed"))
BOTH_OVER: Branch = (ANTHRACYCLINE_OVER, TAXANE_OVER)
NO_MORE: Branch = (TAXANE_RESISTANT, CONTRAINDICATED)
PRIME_RENEWAL: Branch = (NO_CREMOPHOR, STABLE, NO_TOXICITY)
BCBST_C: Branch = (CAPECITABINE, ADVANCED, LIVER)
BCBST_RENEWAL: Branch = (NO_TOXICITY, NO_PROGRESSION)
BCBST_CONTINUED: dict[str, Branch] = {
    "single agent": (*BCBST_RENEWAL, SINGLE),
    "with capecitabine": (*BCBST_RENEWAL, CAPECITABINE),
    "with trastuzumab": (*BCBST_RENEWAL, TRASTUZUMAB),
}
REFRACTORY = is_true("capecitabine_failed")

BRANCHES: dict[Tree, dict[str, Branch]] = {
    (c.PRIME, "2025-09-04", "initial"): {
        "A1a first line": (*PRIME_A1A, is_line(1), NO_BRCA),
        "A1a second line": (*PRIME_A1A, is_line(2), is_false("t_dxd_candidate")),
        "A1a third line": (*PRIME_A1A, is_line_or_later(3)),
        "A1b first line": (*PRIME_A1B, is_line(1), LOW_SCORE, NO_BRCA),
        "A1b second line": (*PRIME_A1B, is_line_or_later(2)),
        "A2": (
            *(NO_CREMOPHOR, NO_LIVER_ASKED, EXTENT_A),
            *(APPROVED_POSITIVE, TRASTUZUMAB, is_line_or_later(4)),
        ),
        "B with capecitabine": (*PRIME_B, *BOTH_OVER, *WITH_IT),
        "B after capecitabine": (*PRIME_B, *BOTH_OVER, *AFTER_IT),
        "B no more anthracycline, with capecitabine": (*PRIME_B, *NO_MORE, *WITH_IT),
        "B no more anthracycline, after capecitabine": (*PRIME_B, *NO_MORE, *AFTER_IT),
    },
    (c.PRIME, "2025-09-04", "renewal"): {
        "single agent": (*PRIME_RENEWAL, NO_LIVER_ASKED, SINGLE),
        "with capecitabine": (*PRIME_RENEWAL, LIVER_ASKED, CAPECITABINE),
        "with trastuzumab": (*PRIME_RENEWAL, NO_LIVER_ASKED, TRASTUZUMAB, APPROVED_POSITIVE),
    },
    (c.BCBST, "current", "initial"): {
        "A": (HER2_NEGATIVE, BCBST_A, SINGLE),
        "B": (HER2_POSITIVE, TRASTUZUMAB, BCBST_B),
        "C failed": (*BCBST_C, is_true("anthracycline_failed"), is_true("taxane_failed")),
        "C no more anthracycline": (*BCBST_C, *NO_MORE),
    },
    (c.BCBST, "current", "renewal"): BCBST_CONTINUED,
    (c.BCBST, "2026-draft", "initial"): {
        "A": (HER2_NEGATIVE, BCBST_A, SINGLE),
        "B": (HER2_POSITIVE, TRASTUZUMAB, BCBST_DRAFT_B, is_line_or_later(4)),
        "C resistant": (*BCBST_C, ANTHRACYCLINE_RESISTANT, TAXANE_RESISTANT),
        "C no more anthracycline": (*BCBST_C, *NO_MORE),
    },
    (c.BCBST, "2026-draft", "renewal"): BCBST_CONTINUED,
}

NAMED = Leaf("a named regimen", m.named_regimen, one_of("regimen", "single_agent"))
BRANCHES |= {
    ("made-up", "one", "initial"): {
        "A": (
            Leaf("CPS", m.high_score, one_of("pd_l1_cps", "10.01", "90")),
            Leaf("not early", m.not_early, one_of("disease_extent", "metastatic", "inflammatory")),
            NAMED,
        ),
        "B triple negative": (TRIPLE_NEGATIVE, NAMED),
        "B second line": (is_line(2), NAMED),
    },
    ("made-up", "one", "renewal"): {
        "HER2": (HER2_POSITIVE, Leaf("IHC not 1", m.ihc_is_not_1, one_of("her2_ihc", "3"))),
        "ER": (
            Leaf("ER", m.er_above_10, one_of("er_percent", "10.01", "90")),
            NO_BRCA,
            Leaf("IHC not 1", m.ihc_is_not_1, one_of("her2_ihc", "0", "2", "3")),
        ),
    },
    ("made-up", "two", "initial"): {
        "resistant": (
            REFRACTORY,
            ANTHRACYCLINE_RESISTANT,
            Leaf("taxane", m.taxane_not_adjuvant, one_of("taxane_setting", "metastatic")),
        ),
        "bilirubin": (
            REFRACTORY,
            Leaf("bilirubin", m.low_bilirubin, one_of("bilirubin_xuln", "0.99", "0")),
        ),
    },
    ("made-up", "two", "renewal"): {
        "response": (
            Leaf("response", m.response, one_of("disease_response", "response")),
            Leaf("third line", m.third_line_at_most, one_of("line_of_therapy", "1", "3")),
        ),
        "liver": (
            LIVER,
            Leaf("third line", m.third_line_at_most, one_of("line_of_therapy", "1", "3")),
        ),
    },
}
REQUESTS = ("initial", "renewal")


def judged(tree: Tree, facts: ClinicalFacts) -> set[str]:
    """The branches that are met, or that one leaf alone decides otherwise or leaves open."""
    verdict, reached = c.criteria(*tree, facts), set()
    for name, branch in BRANCHES[tree].items():
        others = [leaf.holds(facts) for leaf in branch if leaf.holds(facts) is not True]
        if not others:
            reached.add(f"{told(tree, name)}: met")
        elif others == [verdict]:
            word = "missed" if verdict is False else "left open"
            reached.add(f"{told(tree, name)}: {word} by one leaf")
    return reached


def told(tree: Tree, name: str) -> str:
    return f"{'/'.join(tree)}/{name}"


def everything_judged(policy_id: str, *versions: str) -> set[str]:
    """What facts about the trees of these versions may reach."""
    return {
        f"{told(tree, name)}: {word}"
        for tree in BRANCHES
        if tree[0] == policy_id and tree[1] in versions
        for name in BRANCHES[tree]
        for word in ("met", "missed by one leaf", "left open by one leaf")
    }
