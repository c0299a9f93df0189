"""The clinical terms that the trees of criteria share."""

from typing import Literal

from .clinical import ClinicalFacts
from .kleene import Truth, among, and_, at_least, at_most, below, equal, or_

Her2 = Literal["positive", "negative"] | None


# HER2


def her2_negative_test(facts: ClinicalFacts) -> Truth:
    ihc, ratio, copies = facts.her2_ihc, facts.her2_ish_ratio, facts.her2_copy_number
    return or_(
        at_most(ihc, 1),
        and_(below(ratio, 2.0), below(copies, 4.0)),
        and_(at_least(ratio, 2.0), below(copies, 4.0), at_most(ihc, 2)),
        and_(below(ratio, 2.0), at_least(copies, 6.0), at_most(ihc, 1)),
        and_(below(ratio, 2.0), at_least(copies, 4.0), below(copies, 6.0), at_most(ihc, 2)),
    )


def her2_positive_test(facts: ClinicalFacts) -> Truth:
    ihc, ratio, copies = facts.her2_ihc, facts.her2_ish_ratio, facts.her2_copy_number
    return or_(
        equal(ihc, 3),
        and_(at_least(ratio, 2.0), at_least(copies, 4.0)),
        and_(at_least(ratio, 2.0), below(copies, 4.0), equal(ihc, 3)),
        and_(below(ratio, 2.0), at_least(copies, 6.0), at_least(ihc, 2)),
        and_(below(ratio, 2.0), at_least(copies, 4.0), below(copies, 6.0), equal(ihc, 3)),
    )


def her2_status(facts: ClinicalFacts) -> Her2:
    """Tests that contradict each other say nothing, and so do tests that neither say anything."""
    positive, negative = her2_positive_test(facts) is True, her2_negative_test(facts) is True
    if positive and not negative:
        return "positive"
    if negative and not positive:
        return "negative"
    return None


def her2_negative(facts: ClinicalFacts) -> Truth:
    return among(her2_status(facts), "negative")


def her2_positive(facts: ClinicalFacts) -> Truth:
    return among(her2_status(facts), "positive")


# Other terms that the trees share


def hormone_receptor_positive(facts: ClinicalFacts) -> Truth:
    return or_(at_least(facts.er_percent, 1), at_least(facts.pr_percent, 1))


def triple_negative(facts: ClinicalFacts) -> Truth:
    return and_(her2_negative(facts), below(facts.er_percent, 1), below(facts.pr_percent, 1))


def anthracycline_resistant(facts: ClinicalFacts) -> Truth:
    setting, months = facts.anthracycline_setting, facts.anthracycline_months_to_progression
    return or_(
        facts.anthracycline_progressed_on_therapy,
        and_(among(setting, "adjuvant"), at_most(months, 6)),
        and_(among(setting, "metastatic"), at_most(months, 3)),
    )


def taxane_resistant(facts: ClinicalFacts) -> Truth:
    setting, months = facts.taxane_setting, facts.taxane_months_to_progression
    return or_(
        facts.taxane_progressed_on_therapy,
        and_(among(setting, "adjuvant"), at_most(months, 12)),
        and_(among(setting, "metastatic"), at_most(months, 4)),
    )


def taxane_resistant_and_no_more_anthracycline(facts: ClinicalFacts) -> Truth:
    return and_(taxane_resistant(facts), facts.anthracycline_contraindicated)


def liver_within_limits(facts: ClinicalFacts) -> Truth:
    return and_(
        at_most(facts.ast_xuln, 2.5), at_most(facts.alt_xuln, 2.5), at_most(facts.bilirubin_xuln, 1)
    )


def single_agent(facts: ClinicalFacts) -> Truth:
    return among(facts.regimen, "single_agent")


def with_capecitabine(facts: ClinicalFacts) -> Truth:
    return among(facts.regimen, "with_capecitabine")


def with_trastuzumab(facts: ClinicalFacts) -> Truth:
    return among(facts.regimen, "with_trastuzumab")


def fourth_line_or_later(facts: ClinicalFacts) -> Truth:
    return at_least(facts.line_of_therapy, 4)
