"""What would make a line pass an edit that it did not pass, in words."""

from __future__ import annotations

REMEDIES = {
    "medicare-not-governed": (
        "Send the line to the Medicare contractor's policy: this one does not govern it."
    ),
    "no-policy-in-force": (
        "Judge the line by hand, or put a policy version in force on its service date."
    ),
    "original-claim-unknown": (
        "Name the claim that this one replaces or voids, as it was billed before."
    ),
    "ndc-billed-under-other-code": "Bill the product under the HCPCS code of the drug.",
    "program-terms-govern": "Judge the line by the terms of the government program.",
    "procedure-not-effective": "Bill a HCPCS code that was in force on the service date.",
    "service-date-future": "Correct the service date, or the date of receipt.",
    "service-date-span": "Bill each dose on a line of its own, with one date.",
    "service-date-unclear": "Give the line the date of its dose.",
    "units-not-whole": "Bill whole units.",
    "duplicate-line": (
        "Nothing, if the dose was given once. If it was given twice, a modifier, another "
        "provider, or an override tells the two apart."
    ),
    "member-under-age": (
        "Nothing, if the birth date is right; else correct it. Where it is not given, give it."
    ),
    "diagnosis-missing": "Bill the diagnosis that the drug was given for.",
    "diagnosis-pointer-invalid": "Point to a diagnosis that the claim has.",
    "diagnosis-not-pointed": "Point to the covered diagnosis, if the drug was given for it.",
    "diagnosis-unlisted": (
        "Ask whether the policy means to cover the code: it is valid, and newer than the list."
    ),
    "diagnosis-invalid": "Bill a diagnosis code that was valid on the service date.",
    "diagnosis-not-covered": "Bill a covered diagnosis, if the drug was given for one.",
    "diagnosis-history-only": "Bill the active disease that the drug was given for.",
    "diagnosis-sex-conflict": (
        "Correct the diagnosis code or the member's gender. Where that is not known, find out."
    ),
    "ndc-missing": "Bill the NDC of the product that was given.",
    "ndc-invalid": "Bill the NDC in 5-4-2 digits.",
    "ndc-mismatch": "Bill the NDC of a product of this HCPCS code, or the code of the product.",
    "ndc-units-conflict": (
        "Make the NDC quantity and the units agree, and give the quantity in UN, packages."
    ),
    "wastage-contradiction": (
        "Bill the discarded units on a line with JW, or JZ on all lines when there are none."
    ),
    "wastage-modifier-missing": "Bill JW for discarded units, or JZ when there are none.",
    "authorization-absent": (
        "Have an authorization of the drug approved that covers the service date."
    ),
    "authorization-pending": "Decide the pending authorization.",
    "authorization-denied": "Have the denial of the authorization reversed.",
    "authorization-expired": "Have an authorization approved that covers the service date.",
    "authorization-not-started": "Have an authorization approved that covers the service date.",
    "authorization-number-mismatch": (
        "Bill the number of the authorization that covers the service date."
    ),
    "authorization-provider-mismatch": (
        "Bill by the provider whom the authorization names, or have it name this one."
    ),
    "authorization-span-exceeds-policy": (
        "Have the authorization end within the months that the policy grants."
    ),
    "coverage-criteria": "Document facts that meet the criteria.",
    "dose-exceeds-body-surface": "Bill the dose that the body surface allows, or document it.",
    "combination-partner-missing": (
        "Nothing, if the claim of the partner drug is to come; else find out whether it was given."
    ),
    "units-per-dose": "Bill no more units on one day than the policy allows.",
    "units-per-period": "Give the dose when the window has room for it.",
    "authorization-units-exceeded": "Have more units authorized.",
}
