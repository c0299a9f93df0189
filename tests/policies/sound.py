"""The small reference data folder with example cases: nothing that a check finds fault with."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from claims_edit.cases import judge, read_cases
from claims_edit.policies import load_policy
from claims_edit.policy_check import problems
from claims_edit.reference import load_reference
from tests.policies.folder import POLICY, TABLES, written

ORDINARY, EXAMPLES = (
    "policies/some-drug/cases/ordinary.csv",
    "policies/some-drug/cases/examples.csv",
)
CASES = {
    ORDINARY: """\
column,value
as_of,2026-01-01
birth_date,1970-01-01
line_of_business,commercial
claim_line_start_date,2025-06-02
hcpcs_code,X0001
service_unit_quantity,10
charge_amount,100
diagnosis_code_1,A01.1
authorization:authorization_number,AU
authorization:hcpcs_code,X0001
authorization:status,approved
authorization:effective_date,2025-06-01
authorization:expiration_date,2025-11-30
clinical:disease_extent,metastatic
clinical:line_of_therapy,2
clinical:regimen,single_agent
clinical:bsa_m2,2.5
""",
    EXAMPLES: """\
# Every answer is of the document.
case,version,sentence,says,birth_date,hcpcs_code,service_unit_quantity,clinical:disease_extent,\
clinical:line_of_therapy,clinical:regimen,clinical:bsa_m2,authorization:request_type,\
clinical:disease_response,fails,unknown,disposition,allowed_units
tired,first,either,spread and tired,,,,,,,,,,,,pay,10
untold,first,either,nobody says what was tried,,,,,none,,,,,,coverage-criteria,flag,10
small,first,small,small,,,7,early,,,1.4,,,,,pay,7
large,first,small,neither,,,11,early,,,,,,\
coverage-criteria dose-exceeds-body-surface units-per-dose,,partial,10
again,first,again,no progression,,,,,,,,renewal,stable,,,pay,
progression,first,again,progression,,,,,,,,renewal,progression,coverage-criteria,,flag,
together,first,either,with its partner,,,,,,with_trastuzumab,,,,,,pay,
together,,,the partner,,H0002,,,,,,,,,,out of scope,
alone,first,either,without its partner,,,,,,with_trastuzumab,,,,combination-partner-missing,,flag,
twelve,second,age,on the birthday,2013-06-02,,,,,,,,,,,pay,
eleven,second,age,the day before,2013-06-03,,,,,,,,,member-under-age,,flag,
""",
}


def sound(folder: Path) -> Path:
    """The folder, written."""
    written(folder)
    asked = 'program-terms-govern = { fail = "flag", unknown = "flag", section = "Scope" }\n'
    (folder / POLICY).write_text(TABLES[POLICY] + asked, encoding="utf-8")
    for name, content in CASES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def made_wrong(folder: Path, name: str, old: str, new: str) -> Path:
    """The folder with the first `old` of one file written otherwise."""
    path = sound(folder) / name
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), encoding="utf-8")
    return folder


def found(folder: Path, as_of: date = date(2026, 1, 1)) -> list[str]:
    """Every problem of the folder's policy."""
    policy, reference = load_policy(folder, "some-drug"), load_reference(folder)
    return problems(policy, reference, judge(policy, reference, read_cases(policy)), as_of)


def of_policy(folder: Path) -> list[str]:
    """The same without the cases, which may well get other verdicts."""
    return [problem for problem in found(folder) if not problem.startswith("case ")]
