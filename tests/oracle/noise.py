"""The same row in other words."""

from .dice import Dice, Row

NUMBERS = ("_quantity", "_units", "_ihc", "_percent", "line_of_therapy")
YES_OR_NO = {"true": "1", "false": "no"}


def with_noise(dice: Dice, row: Row) -> Row:
    """The same row, written by somebody else.

    Rejected rows are told by the text of their keys, so a copy of a row keeps that text.
    """
    kind = dice.weighted({"none": 8, "case": 1, "blanks": 1, "dates": 1, "numbers": 1, "dots": 1})
    if kind == "none":
        return row
    return {column: rewritten(kind, column, value) for column, value in row.items()}


def rewritten(kind: str, column: str, value: str) -> str:
    if kind == "blanks":
        return f"  {value} "
    if kind == "case" and not column.endswith(("_id", "_npi", "authorization_number")):
        return value.lower() if value != value.lower() else value.upper()
    if kind == "dates" and column.endswith("_date"):
        return value.replace("-", "")
    if kind == "numbers" and value in YES_OR_NO:
        return YES_OR_NO[value]
    if kind == "numbers" and (column.endswith(NUMBERS) or "pointer" in column):
        return f"{value}.0" if value.isdigit() else value
    if kind == "dots" and column.startswith("diagnosis_code"):
        return value.replace(".", "")
    return value
