"""Ids of members, claims and authorizations: which columns hold them, and where sentences name them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import polars as pl

MEMBER, CLAIM, AUTHORIZATION = "member_id", "claim_id", "authorization_number"
KINDS = (MEMBER, CLAIM, AUTHORIZATION)
_KIND_OF = {
    "person_id": MEMBER,
    "patient_id": MEMBER,
    "released_claim_ids": CLAIM,
    "authorization_draws": AUTHORIZATION,
    "numbers": AUTHORIZATION,
    "pending_number": AUTHORIZATION,
    "denied_number": AUTHORIZATION,
    "expired_number": AUTHORIZATION,
    "starting_number": AUTHORIZATION,
}
_EVIDENCE, _LIST = "evidence", "numbers"

# Words before an id in a sentence, and what the id is of.
_LEAD = re.compile(
    r"\b(?:(?P<member_id>members?)|(?P<claim_id>claims?)"
    r"|(?P<authorization_number>authorizations?|approved under)) ",
    re.IGNORECASE,
)
_MORE = re.compile(r", and | and |, ")
_TOKEN = re.compile(r"[^\s,;:()\"'<>]+")
_WORD = re.compile(r"\S+")
_COMMA = ", "
_AFTER = ".,;:)"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DIGIT = re.compile(r"\d")
# An id that is so long, or has letters and so many signs, says the same in any place of a sentence.
_LONG_NUMBER, _LONG = 8, 6


def kind_of(column: str) -> str | None:
    """What the ids of a column, or of a value of an evidence, are of; null where it holds none."""
    if column in _KIND_OF:
        return _KIND_OF[column]
    if not column.endswith(KINDS):
        return None
    return next(kind for kind in KINDS if column.endswith(kind))


@dataclass(frozen=True)
class Ids:
    """The ids that the sentences of some tables may name, by what they are of."""

    of_kind: dict[str, frozenset[str]] = field(default_factory=dict)
    # Those that are not one word, by their first.
    _long: dict[str, dict[str, list[str]]] = field(init=False, compare=False)
    _anywhere: dict[str, str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        long: dict[str, dict[str, list[str]]] = {kind: {} for kind in KINDS}
        anywhere: dict[str, str] = {}
        for kind in reversed(KINDS):
            for raw in self.of_kind.get(kind, ()):
                if not _is_a_word(raw):
                    long[kind].setdefault(_first(raw), []).append(raw)
                elif _tells(raw):
                    anywhere[raw] = kind
        for by_word in long.values():
            for several in by_word.values():
                several.sort(key=len, reverse=True)
        object.__setattr__(self, "_long", long)
        object.__setattr__(self, "_anywhere", anywhere)

    @classmethod
    def of(cls, *frames: pl.DataFrame) -> Ids:
        """The ids in the columns of tables, and in the evidence of findings."""
        found: dict[str, set[str]] = {kind: set() for kind in KINDS}
        lists: set[str] = set()
        for frame in frames:
            for name in frame.columns:
                kind = kind_of(name)
                if kind is not None:
                    found[kind].update(_texts(frame[name]))
                elif name == _EVIDENCE:
                    for judged, text in _judged(frame[name]):
                        one = judged != _LIST or _COMMA not in text
                        (found[str(kind_of(judged))] if one else lists).add(text)
        single = cls({kind: frozenset(ids - {""}) for kind, ids in found.items()})
        of_list = _KIND_OF[_LIST]
        several = (part for text in lists for part in single.parts(of_list, text))
        return single | cls({of_list: frozenset(several)})

    def __or__(self, other: Ids) -> Ids:
        if not other.of_kind:
            return self
        kinds = {
            k: self.of_kind.get(k, frozenset()) | other.of_kind.get(k, frozenset()) for k in KINDS
        }
        return Ids(kinds)

    def parts(self, kind: str, text: str) -> list[str]:
        """The ids of a value that lists several, parted by commas, as ids may have them, too."""
        known = self.of_kind.get(kind, ())
        parts, rest = [], text.split(_COMMA)
        while rest:
            joined = (_COMMA.join(rest[:n]) for n in range(len(rest), 1, -1))
            parts.append(next((raw for raw in joined if raw in known), rest[0]))
            rest = rest[parts[-1].count(_COMMA) + 1 :]
        return parts

    def at(self, text: str, start: int, kind: str, *, guess: bool) -> str | None:
        """The id of a kind that stands in a text from `start` on.

        With `guess` also a word with a digit in it that is no date, for a sentence may name claims of
        other nights.
        """
        word = _WORD.match(text, start)
        if word is None:
            return None
        for raw in self._long[kind].get(_first(word[0]), ()):
            if text.startswith(raw, start) and _ends(text, start + len(raw)):
                return raw
        token = word[0].rstrip(_AFTER)
        if token in self.of_kind.get(kind, ()):
            return token
        guessed = guess and _DIGIT.search(token) and not _DATE.fullmatch(token)
        return token if token and guessed else None

    def anywhere(self, token: str) -> str | None:
        """What an id is of that means the same in any place."""
        return self._anywhere.get(token)


def may_name(text: str) -> bool:
    """Whether a sentence has a digit, as long ids do, or a word that stands before an id."""
    return _DIGIT.search(text) is not None or _LEAD.search(text) is not None


def named(text: str, ids: Ids, name: Callable[[str, str], str]) -> str:
    """A sentence with `name(kind, id)` in place of every id."""
    parts: list[str] = []
    done = 0
    for kind, start, raw in _places(text, ids):
        parts += [_other_ids(text[done:start], ids, name), name(kind, raw)]
        done = start + len(raw)
    return "".join([*parts, _other_ids(text[done:], ids, name)])


def _places(text: str, ids: Ids) -> Iterator[tuple[str, int, str]]:
    """Where a sentence names ids behind the word that says what they are: `claims 12 and 13`."""
    done = 0
    for lead in _LEAD.finditer(text):
        if lead.start() < done:
            continue
        kind, start = str(lead.lastgroup), lead.end()
        raw = ids.at(text, start, kind, guess=kind != MEMBER)
        while raw is not None:
            yield kind, start, raw
            done = start + len(raw)
            more = _MORE.match(text, done)
            if more is None:
                break
            start = more.end()
            raw = ids.at(text, start, kind, guess=False)


def _other_ids(text: str, ids: Ids, name: Callable[[str, str], str]) -> str:
    """A piece of a sentence with the ids that mean the same in any place replaced."""

    def replaced(match: re.Match[str]) -> str:
        token = match[0].rstrip(_AFTER)
        kind = ids.anywhere(token)
        return match[0] if kind is None else name(kind, token) + match[0][len(token) :]

    return _TOKEN.sub(replaced, text)


def _is_a_word(raw: str) -> bool:
    return _TOKEN.fullmatch(raw) is not None and raw == raw.rstrip(_AFTER)


def _first(text: str) -> str:
    return text.split(maxsplit=1)[0].rstrip(_AFTER) if text.strip() else ""


def _tells(raw: str) -> bool:
    """Whether it is no number, date or code that a sentence may have for another reason."""
    if _DATE.fullmatch(raw) or not _DIGIT.search(raw):
        return False
    return len(raw) >= (_LONG if any(c.isalpha() for c in raw) else _LONG_NUMBER)


def _ends(text: str, end: int) -> bool:
    """Whether a word ends there."""
    rest = text[end : end + 2]
    return (
        not rest
        or rest[0].isspace()
        or (rest[0] in _AFTER and (len(rest) < 2 or rest[1].isspace()))
    )


def _judged(evidence: pl.Series) -> Iterator[tuple[str, str]]:
    """The ids in the evidence of findings, each with the name of its value."""
    for text in evidence.unique().drop_nulls():
        for name, value in json.loads(text).items():
            kind = kind_of(name)
            if kind is not None:
                values = value if isinstance(value, list) else [value]
                yield from ((name, v) for v in values if isinstance(v, str))


def _texts(column: pl.Series) -> Iterable[str]:
    """The distinct texts of a column of ids, of lists of ids, or of draws."""
    if isinstance(column.dtype, pl.List):
        column = column.drop_nulls().explode(empty_as_null=False)
    if isinstance(column.dtype, pl.Struct):
        column = column.struct.field(AUTHORIZATION)
    if column.dtype != pl.String:
        return ()
    return (text.strip() for text in column.unique().drop_nulls())
