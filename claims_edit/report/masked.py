"""Stories with pseudonyms in place of ids, and without a birth date."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from claims_edit.masking import NoMasking
from claims_edit.naming import KINDS, Ids, kind_of

_BIRTH = "birth_date"


def masked(
    stories: Sequence[dict[str, Any]], masking: NoMasking, ids: Ids | None = None
) -> list[dict[str, Any]]:
    """The values of stories (`Story.to_dict`) as they may be shown.

    `ids` are those that their sentences may name beside their own, such as those of the findings.
    """
    if not masking.active:
        return list(stories)
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for kind, raw in _ids(list(stories), None):
        found[kind].add(raw)
    known = Ids({kind: frozenset(raws) for kind, raws in found.items()}) | (ids or Ids())
    return [_shown(story, None, known, masking) for story in stories]


def _ids(value: Any, kind: str | None) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _ids(each, kind_of(name))
    elif isinstance(value, list):
        for each in value:
            yield from _ids(each, kind)
    elif kind is not None and isinstance(value, str):
        yield kind, value


def _shown(value: Any, kind: str | None, ids: Ids, masking: NoMasking) -> Any:
    if isinstance(value, dict):
        return {
            name: _shown(each, kind_of(name), ids, masking)
            for name, each in value.items()
            if name != _BIRTH
        }
    if isinstance(value, list):
        return [_shown(each, kind, ids, masking) for each in value]
    if not isinstance(value, str):
        return value
    if kind is None:
        return masking.text(value, ids)
    pseudonym = {
        "member_id": masking.member,
        "claim_id": masking.claim,
        "authorization_number": masking.authorization,
    }[kind]
    return pseudonym(value)
