"""A story with pseudonyms in place of ids, and without a birth date."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from claims_edit.masking import NoMasking
from claims_edit.naming import KINDS, Ids, kind_of

_BIRTH = "birth_date"


def masked(story: dict[str, Any], masking: NoMasking) -> dict[str, Any]:
    """The values of a story (`Story.to_dict`) as they may be shown."""
    if not masking.active:
        return story
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for kind, raw in _ids(story, None):
        found[kind].add(raw)
    ids = Ids({kind: frozenset(raws) for kind, raws in found.items()})
    shown: dict[str, Any] = _shown(story, None, ids, masking)
    return shown


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
