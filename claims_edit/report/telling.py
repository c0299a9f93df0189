"""A story as text for a terminal, and as HTML. Both are told of a story's values (`to_dict`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from claims_edit.report.pages import environment, rendered
from claims_edit.report.text import indented, table
from claims_edit.report.timeline import timeline

Told = dict[str, Any]
_MET = {True: "met", False: "not met", None: "not documented"}
_MARKS = {True: "[x]", False: "[ ]", None: "[?]"}
_OF_LINE = (
    ("member_id", "member"),
    ("birth_date", "born"),
    ("age", "age"),
    ("gender", "gender"),
    ("line_of_business", "line of business"),
    ("member_state", "state"),
    ("claim_type", "claim type"),
    ("claim_line_start_date", "service date"),
    ("claim_line_end_date", "last date"),
    ("received_date", "received"),
    ("hcpcs_code", "HCPCS"),
    ("billed_units", "units"),
    ("charge_amount", "charge"),
    ("ndc_code", "NDC"),
    ("ndc_quantity", "NDC quantity"),
    ("ndc_unit", "NDC unit"),
    ("authorization_number", "authorization"),
    ("rendering_npi", "rendering NPI"),
    ("billing_npi", "billing NPI"),
    ("place_of_service_code", "place of service"),
    ("bill_type_code", "bill type"),
    ("claim_frequency_code", "frequency"),
    ("original_claim_id", "original claim"),
)


def billed(story: Told) -> list[tuple[str, str]]:
    """What was billed, by its name, as far as it is given."""
    line = story["line"]
    rows = [(words, str(line[name])) for name, words in _OF_LINE if line.get(name) is not None]
    if line["modifiers"]:
        rows.append(("modifiers", ", ".join(line["modifiers"])))
    if line["diagnoses"]:
        rows.append(("diagnoses", ", ".join(_diagnosis(each) for each in line["diagnoses"])))
    return rows


def _diagnosis(diagnosis: Told) -> str:
    said = ["covered" if diagnosis["covered"] else "not covered"]
    if not diagnosis["considered"]:
        said.append("not pointed to")
    return f"{diagnosis['code']} ({', '.join(said)})"


def story_html(story: Told) -> str:
    """The story as an `article` of HTML, without script; its style is `pages/story.css`."""
    return stories_html([story])[0]


def stories_html(stories: Sequence[Told]) -> list[str]:
    """The same of several, by a template that is read once."""
    template = environment().get_template("story.html")
    return [
        template.render(
            story=story,
            billed=billed(story),
            timelines=[timeline(window) for window in story["windows"]],
            met=_MET,
        )
        for story in stories
    ]


def stories_page(stories: Sequence[Told]) -> str:
    """Stories as an HTML page of its own, that opens offline; of a line that was not edited, why not."""
    told = stories_html([story for story in stories if "line" in story])
    return rendered(
        "story_page.html",
        title=_page_title(stories[0]),
        articles=[Markup(story) for story in told],
        absent=[story for story in stories if "line" not in story],
    )


def _page_title(story: Told) -> str:
    if "line" not in story:
        return f"Run {story['run_id']} did not edit {story['not_edited']}"
    return f"Claim {story['line']['claim_id']}, run {story['run']['run_id']}"


# ---- text -----------------------------------------------------------------------------------


def story_text(story: Told) -> str:
    """The story for a terminal."""
    line, outcome, run = story["line"], story["outcome"], story["run"]
    head = (
        f"Claim {line['claim_id']} line {line['claim_line_number']}: {outcome['disposition']}, "
        f"{outcome['allowed_units']} of {line['billed_units']} units allowed\n"
        f"Run {run['run_id']}, as of {run['as_of']}, policy {run['policy_id']}"
    )
    parts = [head, indented(outcome["why"], ""), *(indented(note, "") for note in story["notes"])]
    titled = {
        "What was billed": [f"  {name}: {value}" for name, value in billed(story)],
        "What governs it": [indented(story["governed_by"]["text"])],
        "Edits": list(_edits(story)),
        "Authorizations of the member": list(_authorizations(story)),
        "Units of the member": list(_windows(story)),
        "Clinical criteria": list(_criteria(story)),
        "Judged by": [indented(_reference(each)) for each in story["references"]],
        "Versions of the claim": [f"  {_version(each)}" for each in story["versions"]],
        "What would make it payable": [indented(each) for each in story["payable"]],
    }
    parts += ["\n".join([title, *rows]) for title, rows in titled.items() if rows]
    return "\n\n".join(parts)


def not_edited_text(story: Told) -> str:
    """Why a run did not edit a claim or a line, for a terminal."""
    head = f"Run {story['run_id']} did not edit {story['not_edited']}."
    return "\n".join([head, *(indented(reason) for reason in story["why"])])


def _edits(story: Told) -> Iterator[str]:
    for edit in story["edits"]:
        if edit["verdict"] in ("fail", "unknown") and edit["action"] != "off":
            codes = f" [{edit['codes']}]" if edit["codes"] else ""
            yield f"  {edit['verdict']}  {edit['edit_id']}: {edit['action']}{codes}"
            yield indented(edit["message"], "      ")
            if edit["policy_section"]:
                yield indented(f"Policy: {edit['policy_section']}", "      ")
    passed = [edit["edit_id"] for edit in story["edits"] if edit["verdict"] == "pass"]
    if passed:
        yield indented(f"pass  {', '.join(passed)}")
    for edit in story["edits"]:
        if edit["action"] == "off":
            yield indented(f"off  {edit['edit_id']}: {edit['verdict']}, and the policy lets it be")
            yield indented(edit["message"], "      ")
    reasons: dict[str, list[str]] = {}
    for edit in story["edits"]:
        if edit["verdict"] == "not asked":
            reasons.setdefault(edit["message"], []).append(edit["edit_id"])
    for reason, edits in reasons.items():
        yield indented(f"not asked  {', '.join(edits)}: {reason}")


def _authorizations(story: Told) -> Iterator[str]:
    drawn = story["outcome"]["authorization_draws"]
    rows = [
        (
            each["authorization_number"],
            each["status"],
            each["effective_date"],
            each["expiration_date"] or "open",
            each["approved_units"] or "no limit",
            each["drawn_before"],
            "matched" if each["matched"] else "covers the date" if each["covers"] else "",
        )
        for each in story["authorizations"]
    ]
    if rows:
        header = ("number", "status", "from", "to", "units", "drawn before", "")
        yield from (f"  {row}" for row in table(header, rows, numbers=False).splitlines())
    if drawn:
        units = ", ".join(f"{each['units']} from {each['authorization_number']}" for each in drawn)
        yield f"  The line drew {units}."


def _windows(story: Told) -> Iterator[str]:
    for window in story["windows"]:
        days = "1 day" if window["window_days"] == 1 else f"{window['window_days']} days"
        yield (
            f"  {window['edit_id']}: {days}, {window['start_date']} to {window['end_date']}: "
            f"{window['units_before']} of {window['max_units']} units were allowed before it, room for "
            f"{window['room']}"
        )
        for entry in window["entries"]:
            of = f"run {entry['run_id']}" if entry["run_id"] else "allowed elsewhere"
            when = {"before": "", "this": ", this line", "after": ", judged after it"}[
                entry["when"]
            ]
            asked = "" if entry["billed_units"] is None else f" of {entry['billed_units']}"
            yield (
                f"    {entry['date']}  {entry['allowed_units']}{asked} allowed, claim "
                f"{entry['claim_id']} line {entry['claim_line_number']}, {of}{when}"
                f"{', ' + entry['decided'] if entry['decided'] else ''}"
            )


def _criteria(story: Told) -> Iterator[str]:
    if story["criteria"] is None:
        return
    if story["nearest"]:
        yield indented(f"Nearest is {story['nearest']}")
    yield from _criterion(story["criteria"], 1)


def _criterion(node: Told, depth: int) -> Iterator[str]:
    facts = "; ".join(
        f"{name}: {'not documented' if value is None else value}" for name, value in node["facts"]
    )
    of = {"any": " (any of)", "all": " (all of)"}.get(node["rule"], "")
    said = f"{_MARKS[node['met']]} {node['title']}{of}"
    yield indented(f"{said}: {facts}" if facts else said, "  " * depth)
    for child in node["children"] if node["rule"] != "term" else ():
        yield from _criterion(child, depth + 1)


def _reference(reference: Told) -> str:
    dates = (
        f"from {reference['start_date'] or 'ever'} to {reference['end_date'] or 'further notice'}"
    )
    source = f" ({reference['source']})" if reference["source"] else ""
    return f"{reference['table']} {reference['key']}: {reference['title']}, {dates}{source}"


def _version(version: Told) -> str:
    does = {"7": "replaces", "8": "voids"}.get(version["claim_frequency_code"])
    named = f", {does} {version['original_claim_id'] or 'a claim it does not name'}" if does else ""
    where = f", run {version['run_id']}" if version["run_id"] else ""
    return f"{version['claim_id']}{where}{named}: {version['fate']}"
