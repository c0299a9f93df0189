"""A small reference data folder, sound until a test spoils it."""

from __future__ import annotations

from pathlib import Path

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
""",
    "codes/mac_jurisdictions.csv": """\
jurisdiction,state,contractor,note,start_date,end_date,source
J,TN,A contractor,,,,made up
""",
    "codes/states.csv": """\
code,name,source
TN,Tennessee,made up
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

[versions.edits]
no-policy-in-force = { fail = "flag", unknown = "flag", section = "Scope" }
member-under-age = { fail = "deny", unknown = "flag", section = "Age" }
diagnosis-not-covered = { fail = "deny", unknown = "flag", section = "List" }
authorization-span-exceeds-policy = { fail = "flag", unknown = "flag", section = "Length" }
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
""",
}
POLICY = "policies/some-drug/policy.toml"
COVERED = "policies/some-drug/covered_diagnoses.csv"


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
