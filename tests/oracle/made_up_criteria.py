"""Criteria of the made-up drug, which compare and nest as the real ones do not: as a table, by hand."""

from .clinical import ClinicalFacts
from .kleene import Truth, above, among, and_, at_most, below, equal, not_, or_
from .terms import anthracycline_resistant, her2_positive, liver_within_limits, triple_negative

CRITERIA = """\
version,request_type,place,rule,reads,comparator,value,title,if_not_met,sentence
one,initial,1,any,,,,one of these,,all
one,initial,1.A,all,,,,CPS above 10,,all
one,initial,1.A.1,fact,pd_l1_cps,above,10,CPS above 10,CPS is at most 10,all
one,initial,1.A.2,fact,disease_extent,is not,early; recurrent_resectable,not early,it is early,all
one,initial,1.B,any,,,,or else,,all
one,initial,1.B.1,term,triple-negative,,,triple negative,it is not triple negative,all
one,initial,1.B.2,fact,line_of_therapy,is,2,second line,it is not the second line,all
one,initial,2,fact,regimen,is not,other,a named regimen,it is another regimen,all
one,renewal,1,any,,,,one of these,,all
one,renewal,1.a,term,her2-positive,,,HER2 positive,it is not HER2 positive,all
one,renewal,1.b,all,,,,ER above 10,,all
one,renewal,1.b.1,fact,er_percent,above,10,ER above 10,ER is at most 10,all
one,renewal,1.b.2,fact,germline_brca_mutation,is,false,no mutation,there is a mutation,all
one,renewal,2,fact,her2_ihc,is not,1,IHC not 1,IHC is 1,all
two,initial,1,fact,capecitabine_failed,is,true,capecitabine failed,it has not failed,all
two,initial,2,any,,,,one of these,,all
two,initial,2.a,all,,,,resistant,,all
two,initial,2.a.1,term,anthracycline-resistant,,,resistant,it is not resistant,all
two,initial,2.a.2,fact,taxane_setting,is not,adjuvant,taxane not adjuvant,it is adjuvant,all
two,initial,2.b,fact,bilirubin_xuln,below,1,bilirubin below 1,bilirubin is 1 or more,all
two,renewal,1,any,,,,one of these,,all
two,renewal,1.a,fact,disease_response,is,response,response,there is no response,all
two,renewal,1.b,term,liver-within-limits,,,liver,the liver is not in order,all
two,renewal,2,fact,line_of_therapy,at most,3,third line,it is after the third line,all
three,initial,1,fact,regimen,is,single_agent,single agent,it is no single agent,all
three,renewal,1,fact,regimen,is,single_agent,single agent,it is no single agent,all
"""


def made_up_criteria(version: str, request_type: str, facts: ClinicalFacts) -> Truth:
    if version == "one":
        return one_initial(facts) if request_type == "initial" else one_renewal(facts)
    if version == "two":
        return two_initial(facts) if request_type == "initial" else two_renewal(facts)
    return among(facts.regimen, "single_agent")


def high_score(facts: ClinicalFacts) -> Truth:
    return above(facts.pd_l1_cps, 10)


def not_early(facts: ClinicalFacts) -> Truth:
    return not_(among(facts.disease_extent, "early", "recurrent_resectable"))


def second_line(facts: ClinicalFacts) -> Truth:
    return equal(facts.line_of_therapy, 2)


def named_regimen(facts: ClinicalFacts) -> Truth:
    return not_(among(facts.regimen, "other"))


def one_initial(facts: ClinicalFacts) -> Truth:
    return and_(
        or_(
            and_(high_score(facts), not_early(facts)),
            or_(triple_negative(facts), second_line(facts)),
        ),
        named_regimen(facts),
    )


def ihc_is_not_1(facts: ClinicalFacts) -> Truth:
    return not_(equal(facts.her2_ihc, 1))


def er_above_10(facts: ClinicalFacts) -> Truth:
    return above(facts.er_percent, 10)


def no_mutation(facts: ClinicalFacts) -> Truth:
    return not_(facts.germline_brca_mutation)


def one_renewal(facts: ClinicalFacts) -> Truth:
    return and_(
        or_(her2_positive(facts), and_(er_above_10(facts), no_mutation(facts))),
        ihc_is_not_1(facts),
    )


def capecitabine_failed(facts: ClinicalFacts) -> Truth:
    return facts.capecitabine_failed


def taxane_not_adjuvant(facts: ClinicalFacts) -> Truth:
    return not_(among(facts.taxane_setting, "adjuvant"))


def low_bilirubin(facts: ClinicalFacts) -> Truth:
    return below(facts.bilirubin_xuln, 1)


def two_initial(facts: ClinicalFacts) -> Truth:
    return and_(
        capecitabine_failed(facts),
        or_(
            and_(anthracycline_resistant(facts), taxane_not_adjuvant(facts)),
            low_bilirubin(facts),
        ),
    )


def response(facts: ClinicalFacts) -> Truth:
    return among(facts.disease_response, "response")


def third_line_at_most(facts: ClinicalFacts) -> Truth:
    return at_most(facts.line_of_therapy, 3)


def two_renewal(facts: ClinicalFacts) -> Truth:
    return and_(or_(response(facts), liver_within_limits(facts)), third_line_at_most(facts))
