"""A made-up drug under a made-up policy that uses what the real ones leave unused.

Its code ends, its products and covered codes change, it has two active versions and a draft, its
vials do not divide each other, a program's own terms govern somewhere, and its limits deny, flag
and cut back.
"""

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from .drugs import Drug, Package
from .made_up_criteria import CRITERIA

MADE_UP = Drug(
    policy_id="made-up",
    hcpcs="J7777",
    policy_start=date(2024, 3, 1),
    anchors=(date(2024, 5, 1), date(2024, 3, 1), date(2024, 6, 20), date(2024, 9, 25)),
    covered_female=("D11.1", "D11.3"),
    covered_male=("D11.2",),
    covered_other=("D12",),
    history=("Z99.9",),
    active_disease=("E44.4",),
    unlisted=("D11.8", "D11.9"),
    invalid=("D11", "D11.0"),
    not_covered=("E44.4", "E55"),
    packages=(
        Package(Decimal("2.5"), ("11111-2222-3", "11111222203", "N41111122223")),
        Package(Decimal(4), ("1111-3333-44", "01111333344", "1111333344")),
    ),
    mismatched_ndcs=("11111-2323-01", "99999-9999-99"),
    invalid_ndcs=("1111-222-3", "9999999999"),
    units=("10", "4", "8", "5", "20", "12", "10"),
    odd_units=("6.5", "7", "3", "25", "2.5", "40"),
    max_units=12,
    window_days=7,
    authorization_months=2,
    minimum_age=3,
    versions=("one", "two"),
    body_surfaces=("1.6", "1.600001", "2", "0.8", "1.3", "1.777777", "3"),
    partner_codes=("K1001", "K1002", "K2001", "J9355", "K1002", "K1001", "K2001", "K3001"),
    partner_windows=(8, 6),
    regimens=("with_trastuzumab", "with_trastuzumab", "with_capecitabine"),
    program_state="TN",
)

TABLES = {
    "codes/icd10cm.csv": """\
code,description,sex,start_date,end_date,source
D11.1,First of women,female,,,made up
D11.2,First of men,male,,,made up
D11.3,First of women once and of all since,female,,2024-06-30,made up
D11.3,First of women once and of all since,,2024-07-01,,made up
D11.8,Late and unlisted,,2024-05-02,,made up
D11.9,Unlisted,,,2024-06-30,made up
D12,Second,,,,made up
E44.4,Spread,,,,made up
E55,Something else,,,,made up
Z99.9,History,,,,made up
""",
    "codes/hcpcs.csv": """\
code,description,start_date,end_date,source
J7777,A made-up drug,2020-01-01,2024-09-30,made up
J9355,Another drug,2000-01-01,,made up
""",
    "codes/ndc_products.csv": """\
product,hcpcs_code,description,units_per_package,start_date,end_date,source
11111-2222,J7777,Small vial,2.5,,2024-09-25,made up
01111-3333,J7777,Large vial,4,2024-03-02,2024-06-30,made up
11111-2323,J9355,Other vial,15,,,made up
""",
    "codes/partner_drugs.csv": """\
drug,hcpcs_code,start_date,end_date,source
alpha,J9355,,2024-05-01,made up
alpha,K1001,,2024-04-30,made up
alpha,K1002,2024-05-03,,made up
beta,K1002,2024-06-22,,made up
beta,K2001,2024-03-01,2024-09-24,made up
gamma,K3001,,,made up
""",
    "codes/states.csv": """\
code,name,source
TN,Tennessee,made up
GA,Georgia,made up
CA,California,made up
AL,Alabama,made up
""",
    "policies/made-up/covered_diagnoses.csv": """\
version,code,description,start_date,end_date,section,source
one,D11.1,First of women,,,A,made up
one,D11.2,First of men,,,A,made up
one,D11.3,First of women,,2024-05-01,A,made up
one,Z99.9,History,,,A,made up
two,D11.1,First of women,,,A,made up
two,D11.2,First of men,,,A,made up
two,D11.3,First of all,,,A,made up
two,D12,Second,,,A,made up
two,Z99.9,History,,,A,made up
three,D11.1,First of women,,,A,made up
""",
    "policies/made-up/criteria.csv": CRITERIA,
    "policies/made-up/sentences.csv": """\
version,sentence,section,text,decided_by,undecided_because
one,all,C,All that is asked.,coverage-criteria,
two,all,C,All that is asked.,coverage-criteria,
three,all,C,All that is asked.,coverage-criteria,
""",
}

HEAD = """\
id = "made-up"
title = "A made-up drug"
payer = "Nobody"
hcpcs_code = "J7777"

[document]
number = "MU-1"
title = "A made-up drug"
last_review_date = 2024-06-21
origin_date = 2024-03-01
source = "made up"
"""

VERSION = """
[[versions]]
version = "{name}"
status = "{status}"
start_date = {start}
{end}
minimum_age = {age}
authorization_months = 2

[versions.diagnoses]
family_prefixes = ["D11"]
history_codes = ["Z99.9"]
active_disease_prefixes = ["D11", "E44"]

[[versions.limits]]
edit = "units-per-dose"
max_units = 12
window_days = 1
section = "B"

[[versions.limits]]
edit = "units-per-period"
max_units = 20
window_days = 7
section = "B"

[[versions.program_terms]]
line_of_business = "medicaid"
state = "TN"
program = "TennCare"

[versions.dose]
units_per_m2 = {units_per_m2}
max_bsa_m2 = {max_bsa_m2}
section = "B"
{partners}
[versions.edits]
"""
PARTNER = """
[[versions.partners]]
regimen = "{}"
drug = "{}"
observable = {}
window_days = {}
reason = "made up"
section = "B"
"""
ALPHA = PARTNER.format("with_trastuzumab", "alpha", "true", 8)
BETA_UNSEEN = PARTNER.format("with_capecitabine", "beta", "false", 5)
ALPHA_UNSEEN = PARTNER.format("with_trastuzumab", "alpha", "false", 5)
BETA = PARTNER.format("with_capecitabine", "beta", "true", 6)
GAMMA = PARTNER.format("single_agent", "gamma", "true", 9)
FIRST = {"age": 3, "units_per_m2": 5, "max_bsa_m2": 1.9, "partners": ALPHA + BETA_UNSEEN}
LATER = {"age": 2, "units_per_m2": 4.5, "max_bsa_m2": 2, "partners": BETA + ALPHA_UNSEEN}
DRAFT = {"age": 99, "units_per_m2": 1, "max_bsa_m2": 1, "partners": GAMMA}

# Edits with what a fail and an unknown do; those of the later version stand after the slash.
EDITS = """\
medicare-not-governed flag flag
no-policy-in-force flag flag
original-claim-unknown flag flag / off flag
ndc-billed-under-other-code deny flag
program-terms-govern flag flag
procedure-not-effective deny flag
service-date-future deny flag
service-date-span flag flag
service-date-unclear off flag
units-not-whole off flag / flag flag
duplicate-line deny flag / flag flag
member-under-age deny deny
diagnosis-missing deny flag
diagnosis-pointer-invalid off flag
diagnosis-not-pointed flag flag
diagnosis-unlisted flag flag / off flag
diagnosis-invalid deny flag
diagnosis-not-covered deny flag
diagnosis-history-only flag flag
diagnosis-sex-conflict deny flag
ndc-missing flag flag
ndc-invalid flag flag
ndc-mismatch flag flag
ndc-units-conflict deny off / flag flag
wastage-contradiction flag flag
wastage-modifier-missing flag off
authorization-absent deny flag
authorization-pending flag flag
authorization-denied deny flag
authorization-expired deny flag
authorization-not-started flag off
authorization-number-mismatch flag flag
authorization-provider-mismatch deny flag
authorization-span-exceeds-policy flag flag
coverage-criteria flag flag / deny flag
dose-exceeds-body-surface flag flag / deny off
combination-partner-missing flag flag / deny flag
units-per-dose cutback flag / flag flag
units-per-period deny flag / cutback flag
authorization-units-exceeded flag flag / cutback flag
"""


def write_made_up(directory: Path, reference_data: Path) -> Path:
    """Writes the made-up drug's reference data; what names no drug comes from the real one."""
    for name in ("codes/adjustment_codes.csv", "codes/mac_jurisdictions.csv", "criteria/terms.csv"):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(reference_data / name, directory / name)
    for name, text in TABLES.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
    policy = directory / "policies" / "made-up" / "policy.toml"
    policy.write_text(
        HEAD
        + version("one", "active", "2024-03-01", "2024-06-20", FIRST, later=False)
        + version("two", "active", "2024-06-21", "", LATER, later=True)
        + version("three", "draft", "2024-05-01", "", DRAFT, later=True),
        encoding="utf-8",
    )
    return directory


def version(
    name: str, status: str, start: str, end: str, terms_of_it: dict[str, Any], *, later: bool
) -> str:
    text = VERSION.format(
        name=name,
        status=status,
        start=start,
        end=f"end_date = {end}" if end else "",
        **terms_of_it,
    )
    for row in EDITS.splitlines():
        edit, terms = row.split(" ", 1)
        first, _, second = terms.partition(" / ")
        fail, unknown = (second if later and second else first).split()
        text += f'{edit} = {{ fail = "{fail}", unknown = "{unknown}", section = "C" }}\n'
    return text
