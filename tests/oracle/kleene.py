"""Kleene's three-valued logic: None is what is not documented, and decides nothing on its own."""

Truth = bool | None


def and_(*values: Truth) -> Truth:
    if any(value is False for value in values):
        return False
    return None if any(value is None for value in values) else True


def or_(*values: Truth) -> Truth:
    if any(value is True for value in values):
        return True
    return None if any(value is None for value in values) else False


def not_(value: Truth) -> Truth:
    return None if value is None else not value


def among(word: str | None, *words: str) -> Truth:
    return None if word is None else word in words


def at_least(value: float | None, bound: float) -> Truth:
    return None if value is None else value >= bound


def at_most(value: float | None, bound: float) -> Truth:
    return None if value is None else value <= bound


def below(value: float | None, bound: float) -> Truth:
    return None if value is None else value < bound


def above(value: float | None, bound: float) -> Truth:
    return None if value is None else value > bound


def equal(value: float | None, other: float) -> Truth:
    return None if value is None else value == other
