"""Rows of the clinical extract: facts near a branch of a tree of criteria, good, bad and repeated."""

from .branches import BRANCHES, REQUESTS, Branch, Tree
from .clinical import WORDS, YES_OR_NO
from .dice import Dice, Row
from .drugs import Drug

# Values on both sides of what any tree asks for.
VALUES: dict[str, tuple[str, ...]] = {
    **{fact: tuple(sorted(words)) for fact, words in WORDS.items()},
    **dict.fromkeys(YES_OR_NO, ("true", "false")),
    "her2_ihc": ("0", "1", "2", "3"),
    "her2_ish_ratio": ("1.99", "2.0", "0", "3.5"),
    "her2_copy_number": ("3.99", "4.0", "5.99", "6.0"),
    "er_percent": ("0", "0.99", "1", "10", "10.01", "100"),
    "pr_percent": ("0", "0.99", "1", "100"),
    "line_of_therapy": ("1", "2", "3", "4", "7"),
    "pd_l1_cps": ("9.99", "10", "10.01", "90"),
    "anthracycline_months_to_progression": ("3", "3.01", "6", "6.01", "0"),
    "taxane_months_to_progression": ("4", "4.01", "12", "12.01", "0"),
    "ast_xuln": ("2.5", "2.51", "1"),
    "alt_xuln": ("2.5", "2.51", "1"),
    "bilirubin_xuln": ("0.99", "1", "1.01"),
}
BAD_CELLS: dict[str, tuple[str, ...]] = {
    "authorization_number": ("",),
    "disease_extent": ("stage IV",),
    "no_response_to_preoperative_therapy": ("maybe", "2"),
    "her2_ihc": ("4", "-1", "2.5", "3+"),
    "her2_ish_ratio": ("-0.01", "1e2", ">2.0", "1234567890123456"),
    "her2_copy_number": ("-4", "4,0"),
    "er_percent": ("100.01", "-1", "5 %"),
    "pr_percent": ("101",),
    "line_of_therapy": ("0", "first", "1.5"),
    "pd_l1_cps": ("<10", "-1"),
    "regimen": ("alone",),
    "taxane_setting": ("neoadjuvant",),
    "taxane_failed": ("true false",),
    "taxane_months_to_progression": ("-0.5", "NaN"),
    "ast_xuln": ("-2", "inf"),
    "disease_response": ("partial",),
    "bsa_m2": ("0", "-1.8", "1.8 m2", "0.0"),
}


def clinical_of(
    dice: Dice, drug: Drug, authorizations: list[Row], *, combined: bool
) -> list[Row] | None:
    """Facts of these authorizations and of others; at times no extract at all."""
    if dice.rarely(10 if combined else 20):
        return None
    rows = []
    for one in distinct(authorizations):
        if not dice.rarely(10):
            rows.append(facts_of(dice, drug, one))
            if combined and not dice.rarely(20):
                rows[-1]["regimen"] = dice.one_of(drug.regimens)
    if dice.rarely(10):
        rows.append(drawn_facts(dice, drug, dice.one_of(trees_of(drug))) | numbered("Z9"))
    spoil_facts(dice, rows)
    return rows


def distinct(authorizations: list[Row]) -> list[Row]:
    by_number = {row["authorization_number"].upper(): row for row in authorizations}
    return [row for number, row in by_number.items() if number]


def numbered(number: str) -> Row:
    return {"authorization_number": number}


def trees_of(drug: Drug, request_type: str = "") -> list[Tree]:
    requests = REQUESTS if request_type not in REQUESTS else (request_type,)
    return [(drug.policy_id, name, request) for name in drug.versions for request in requests]


def facts_of(dice: Dice, drug: Drug, authorization: Row) -> Row:
    """Mostly about the tree that will be asked."""
    number = authorization["authorization_number"]
    asked = trees_of(drug, authorization.get("request_type") or "initial")
    tree = dice.one_of(asked if not dice.rarely(10) else trees_of(drug))
    written = number.swapcase() if dice.rarely(10) else number
    return numbered(written) | drawn_facts(dice, drug, tree)


def drawn_facts(dice: Dice, drug: Drug, tree: Tree) -> Row:
    if dice.rarely(8):
        facts = random_facts(dice)
    else:
        branches = BRANCHES[tree]
        facts = facts_that_meet(dice, branches[dice.one_of(branches)])
        for _ in range(dice.weighted({0: 5, 1: 6, 2: 2})):
            spoil(dice, facts)
    if not dice.rarely(15):
        facts["bsa_m2"] = dice.one_of(drug.body_surfaces)
    return facts


def facts_that_meet(dice: Dice, branch: Branch) -> Row:
    facts: Row = {}
    for leaf in branch:
        facts |= dice.one_of(leaf.ways)
    return facts


def spoil(dice: Dice, facts: Row) -> None:
    """Changes or takes away one thing that is documented; at times adds another."""
    fact = dice.one_of(facts or VALUES)
    if dice.rarely(15):
        fact = dice.one_of(VALUES)
    others = [value for value in VALUES[fact] if value != facts.get(fact)]
    if fact in facts and dice.rarely(40):
        del facts[fact]
    else:
        facts[fact] = dice.one_of(others)


def random_facts(dice: Dice) -> Row:
    return {fact: dice.one_of(values) for fact, values in VALUES.items() if not dice.rarely(25)}


def spoil_facts(dice: Dice, rows: list[Row]) -> None:
    if not rows:
        return
    for row in rows:
        if dice.rarely(5):
            column = dice.one_of(BAD_CELLS)
            row[column] = dice.one_of(BAD_CELLS[column])
    if dice.rarely(8):
        rows.append(dict(dice.one_of(rows)))
    if dice.rarely(6):
        rows.append(dice.one_of(rows) | {"bsa_m2": "1.77"})
