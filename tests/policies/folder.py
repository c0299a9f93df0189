"""A small reference data folder, sound until a test spoils it."""

from __future__ import annotations

from pathlib import Path

import pytest

from claims_edit.errors import UsageError
from claims_edit.policies import load_policy, require_governing
from claims_edit.reference import load_reference

TABLES = {
    "codes/icd10cm.csv": """\
code,description,sex,start_date,end_date,source
A01.1,First,female,,,made up
B01.2,Second,,2025-01-01,2025-12-31,made up
""",
    "codes/hcpcs.csv": """\
code,description,start_date,end_date,source
X0001,A drug,2020-01-01,,made up
""",
    "codes/ndc_products.csv": """\
product,hcpcs_code,description,units_per_package,start_date,end_date,source
01234-0056,X0001,A vial,2.5,,,made up
""",
    "codes/adjustment_codes.csv": """\
type,code,description,start_date,end_date,source
carc,16,Lacks information,,,made up
carc,151,Too many,,,made up
carc,153,Not this dosage,,,made up
carc,167,Diagnosis not covered,,,made up
carc,272,Guidelines not met,,,made up
carc,6,Not this age,,,made up
group,CO,Contractual,,,made up
rarc,N129,Age,,,made up
rarc,N362,Units,,,made up
rarc,N54,Authorization,,,made up
rarc,N569,Diagnosis,,,made up
""",
    "codes/mac_jurisdictions.csv": """\
jurisdiction,state,contractor,note,start_date,end_date,source
J,TN,A contractor,,,,made up
""",
    "codes/states.csv": """\
code,name,source
TN,Tennessee,made up
""",
    "codes/partner_drugs.csv": """\
drug,hcpcs_code,start_date,end_date,source
helper,H0001,,2025-05-31,made up
helper,H0002,2025-06-01,,made up
""",
    "criteria/terms.csv": """\
term,place,rule,reads,comparator,value,title,if_not_met,section,source
tried,1,any,,,,tried before,,Words,made up
tried,1.a,fact,line_of_therapy,at least,2,second line or later,it is the first line,Words,made up
tried,1.b,fact,capecitabine_failed,is,true,capecitabine failed,it has not failed,Words,made up
tired,1,term,tried,,,tried before,nothing was tried,Words,made up
tired,2,fact,regimen,is not,other; with_capecitabine,of a kind,of another kind,Words,made up
""",
    "policies/some-drug/criteria.csv": """\
version,request_type,place,rule,reads,comparator,value,title,if_not_met,sentence
first,initial,1,any,,,,one of two,,either
first,initial,1.A,all,,,,spread and tired,,either
first,initial,1.A.1,fact,disease_extent,is,metastatic,spread,it has not spread,either
first,initial,1.A.2,term,tired,,,tired,not tired,either
first,initial,1.B,fact,bsa_m2,below,1.5,small,the patient is not small,small
first,renewal,1,fact,disease_response,is not,progression,no progression,it has progressed,again
""",
    "policies/some-drug/sentences.csv": """\
version,sentence,section,text,decided_by,undecided_because
first,either,Criteria,Either spread and tired or small.,coverage-criteria,
first,small,Criteria,Or small.,1.B,
first,again,Criteria,Again without progression.,coverage-criteria,
first,kind,Criteria,Be kind.,,no data says who is kind
second,age,Age,From twelve.,member-under-age,
""",
    "policies/some-drug/covered_diagnoses.csv": """\
version,code,description,start_date,end_date,section,source
first,A01.1,First,,,List,made up
second,A01.1,First,,,List,made up
second,B01.2,Second,,,List,made up
""",
    "policies/some-drug/policy.toml": """\
id = "some-drug"
title = "Some drug"
payer = "Somebody"
hcpcs_code = "x0001"

[document]
number = "SD-1"

[[versions]]
version = "first"
status = "active"
start_date = 2025-01-01
end_date = 2025-06-30
minimum_age = 18
authorization_months = 6

[versions.diagnoses]
family_prefixes = ["A01"]

[[versions.limits]]
edit = "units-per-dose"
max_units = 10
window_days = 1
section = "Dose"

[versions.dose]
units_per_m2 = 4
max_bsa_m2 = 2.5
section = "Dose"

[[versions.partners]]
regimen = "with_trastuzumab"
drug = "helper"
observable = true
window_days = 14
reason = "billed like the drug"
section = "Partners"

[[versions.partners]]
regimen = "with_capecitabine"
drug = "tablets"
observable = false
reason = "bought elsewhere"

[versions.edits]
no-policy-in-force = { fail = "flag", unknown = "flag", section = "Scope" }
member-under-age = { fail = "deny", unknown = "flag", section = "Age" }
diagnosis-not-covered = { fail = "deny", unknown = "flag", section = "List" }
authorization-span-exceeds-policy = { fail = "flag", unknown = "flag", section = "Length" }
medicare-not-governed = { fail = "flag", unknown = "flag", section = "Medicare" }
coverage-criteria = { fail = "flag", unknown = "flag", section = "Criteria" }
dose-exceeds-body-surface = { fail = "flag", unknown = "off", section = "Dose" }
combination-partner-missing = { fail = "flag", unknown = "off", section = "Partners" }
units-per-dose = { fail = "cutback", unknown = "flag", section = "Dose" }

[[versions]]
version = "second"
status = "active"
start_date = 2025-07-01
minimum_age = 12

[[versions.program_terms]]
line_of_business = "medicaid"
state = "TN"
program = "TennCare"

[versions.edits]
no-policy-in-force = { fail = "flag", unknown = "flag", section = "Scope" }
member-under-age = { fail = "flag", unknown = "off", section = "Age, second" }
diagnosis-not-covered = { fail = "deny", unknown = "flag", section = "List" }
medicare-not-governed = { fail = "flag", unknown = "flag", section = "Medicare" }
""",
}
POLICY = "policies/some-drug/policy.toml"
COVERED = "policies/some-drug/covered_diagnoses.csv"
CRITERIA = "policies/some-drug/criteria.csv"
SENTENCES = "policies/some-drug/sentences.csv"
TERMS = "criteria/terms.csv"
PARTNERS = "codes/partner_drugs.csv"
# The tables of the policy's own folder name its versions.
OF_VERSIONS = (COVERED, CRITERIA, SENTENCES)


def written(folder: Path) -> Path:
    """The sound folder."""
    for name, content in TABLES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def spoiled(folder: Path, name: str, old: str, new: str) -> Path:
    """The folder with the first `old` of one file written otherwise."""
    written(folder)
    content = TABLES[name]
    assert old in content
    (folder / name).write_text(content.replace(old, new, 1), encoding="utf-8")
    return folder


def refused(folder: Path) -> str:
    """The message that loading the folder ends with."""
    with pytest.raises(UsageError) as error:
        load_reference(folder)
        require_governing(load_policy(folder, "some-drug"))
    message = str(error.value)
    assert error.value.exit_code == 2
    assert "\n" not in message
    return message
