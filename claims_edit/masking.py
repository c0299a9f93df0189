"""Keyed pseudonyms in place of the ids of members, claims and authorizations, and no birth dates.

One key gives one id one pseudonym, in whatever file; without the key none can be told from its id, nor be
tried out. The key is the operator's: a file of 64 hexadecimal digits.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl

from claims_edit.errors import UsageError
from claims_edit.naming import AUTHORIZATION, CLAIM, MEMBER, Ids, kind_of, may_name, named

KEY_FILE = "mask.key"
_KEY_BYTES = 32
_KEY = re.compile(rf"[0-9A-Fa-f]{{{2 * _KEY_BYTES},}}\s*")
# Base 32 without I, L, O and U: nobody misreads it, and it spells no word.
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH, _GROUP = 12, 4
PSEUDONYM = re.compile(rf"[A-Z](-[{_DIGITS}]{{{_GROUP}}}){{{_LENGTH // _GROUP}}}")
_LETTERS = {MEMBER: "M", CLAIM: "C", AUTHORIZATION: "A"}
# What tells a birth date, in columns and in sentences.
_BIRTH = "birth_date"
_BORN = re.compile(r"\b(born(?: on)?|birth[ _]date)(\W{1,4})\d{4}-?\d{2}-?\d{2}", re.IGNORECASE)
_SENTENCES = frozenset({"message", "all_reasons", "primary_reason", "reason", "reasons"})
_EVIDENCE = "evidence"
# A rejected row may have anything anywhere; what is shown of it reads as what it should be.
_REJECTED = "failed_checks"
_DATE = r"\d{4}-?\d{2}-?\d{2}"
_READS_AS = {
    "claim_line_number": r"\d{1,3}",
    "claim_line_start_date": _DATE,
    "received_date": _DATE,
    "hcpcs_code": r"[A-Za-z]\d{4}",
    "line_of_business": r"[A-Za-z]{1,20}",
    "service_unit_quantity": r"-?\d{1,4}(\.\d{1,6})?",
    "charge_amount": r"-?\d{1,6}(\.\d{1,2})?",
    "status": r"[A-Za-z]{1,20}",
    "effective_date": _DATE,
    "expiration_date": _DATE,
    "approved_units": r"\d{1,4}(\.\d{1,6})?",
    "request_type": r"[A-Za-z]{1,20}",
}


class NoMasking:
    """The same methods as `Masking`; all stays as it is."""

    active = False

    def member(self, member_id: str) -> str:
        """The id of a member, to be shown."""
        return member_id

    def claim(self, claim_id: str) -> str:
        """The id of a claim, to be shown."""
        return claim_id

    def authorization(self, number: str) -> str:
        """The number of an authorization, to be shown."""
        return number

    def text(self, text: str, ids: Ids | None = None) -> str:
        """A sentence, to be shown."""
        return text

    def frame(self, frame: pl.DataFrame, ids: Ids | None = None) -> pl.DataFrame:
        """A table, to be shown."""
        return frame


class Masking(NoMasking):
    """Pseudonyms under a key."""

    active = True

    def __init__(self, key: bytes) -> None:
        self._key = key

    def member(self, member_id: str) -> str:
        """`M-XXXX-XXXX-XXXX`."""
        return self._pseudonym(MEMBER, member_id)

    def claim(self, claim_id: str) -> str:
        """`C-XXXX-XXXX-XXXX`."""
        return self._pseudonym(CLAIM, claim_id)

    def authorization(self, number: str) -> str:
        """`A-XXXX-XXXX-XXXX`."""
        return self._pseudonym(AUTHORIZATION, number)

    def _pseudonym(self, kind: str, raw: str) -> str:
        """Sixty bits of the digest of an id, as it is compared: trimmed, and numbers in capitals."""
        text = raw.strip().upper() if kind == AUTHORIZATION else raw.strip()
        digest = hmac.new(self._key, f"{kind}\0{text}".encode(), hashlib.sha256).digest()
        number = int.from_bytes(digest[:8], "big")
        digits = "".join(_DIGITS[number >> 5 * i & 31] for i in range(_LENGTH))
        groups = (digits[i : i + _GROUP] for i in range(0, _LENGTH, _GROUP))
        return "-".join((_LETTERS[kind], *groups))

    def text(self, text: str, ids: Ids | None = None) -> str:
        """A sentence with its ids replaced, and without a birth date; `ids` are those it may name."""
        if not may_name(text):
            return text
        return named(_BORN.sub(r"\1\2(withheld)", text), ids or Ids(), self._pseudonym)

    def frame(self, frame: pl.DataFrame, ids: Ids | None = None) -> pl.DataFrame:
        """A table with pseudonyms in its id columns and its sentences, and without birth dates.

        `ids` are those of the run, which its sentences may name beside those of the table itself. Of
        rejected rows, whose values may stand in any column, what does not read as what it should be
        is left out.
        """
        known = Ids.of(frame) | (ids or Ids())
        frame = _readable(frame) if _REJECTED in frame.columns else frame
        columns = [self._column(frame[c], known) for c in frame.columns if c != _BIRTH]
        return pl.DataFrame(columns)

    def _column(self, column: pl.Series, ids: Ids) -> pl.Series:
        kind, name = kind_of(column.name), column.name
        if name == _EVIDENCE:
            return _each(column, lambda text: self._judged(text, ids))
        if name in _SENTENCES:
            return _each(column, lambda text: self.text(text, ids))
        if kind is None:
            return column
        of_kind: str = kind

        def pseudonym(raw: str) -> str:
            return self._pseudonym(of_kind, raw)

        if isinstance(column.dtype, pl.List):
            return _each_within(column, pseudonym)
        return _each(column, pseudonym)

    def _judged(self, text: str, ids: Ids) -> str:
        """An evidence, which is JSON."""
        shown = self._evidence(json.loads(text), ids)
        return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))

    def _evidence(self, judged: Any, ids: Ids, kind: str | None = None) -> Any:
        """The values judged, as JSON has them."""
        if isinstance(judged, Mapping):
            return {
                name: self._evidence(value, ids, kind_of(name))
                for name, value in judged.items()
                if name != _BIRTH
            }
        if isinstance(judged, list):
            return [self._evidence(value, ids, kind) for value in judged]
        if not isinstance(judged, str):
            return judged
        if kind is None:
            return self.text(judged, ids)
        return ", ".join(self._pseudonym(kind, part) for part in ids.parts(kind, judged))


NO_MASKING = NoMasking()


def _each(column: pl.Series, made: Callable[[str], str]) -> pl.Series:
    """A column of texts with each distinct one made another, once."""
    distinct = column.drop_nulls().unique()
    others = pl.Series([made(text) for text in distinct], dtype=pl.String)
    return column.replace_strict(distinct, others, return_dtype=pl.String)


def _each_within(column: pl.Series, made: Callable[[str], str]) -> pl.Series:
    """The same in a column of lists of texts, or of draws upon authorizations."""
    inner = column.dtype.inner  # type: ignore[attr-defined]
    if not isinstance(inner, pl.Struct):
        texts = column.drop_nulls().explode(empty_as_null=False).drop_nulls().unique()
        others = pl.Series([made(text) for text in texts], dtype=pl.String)
        element = pl.element().replace_strict(texts, others, return_dtype=pl.String)
        return column.to_frame().select(pl.col(column.name).list.eval(element)).to_series()
    drawn = column.drop_nulls().explode(empty_as_null=False).struct.field(AUTHORIZATION).unique()
    numbers = drawn.drop_nulls()
    others = pl.Series([made(text) for text in numbers], dtype=pl.String)
    number = pl.element().struct.field(AUTHORIZATION)
    replaced = pl.element().struct.with_fields(
        number.replace_strict(numbers, others, return_dtype=pl.String).alias(AUTHORIZATION)
    )
    return column.to_frame().select(pl.col(column.name).list.eval(replaced)).to_series()


def _readable(rejected: pl.DataFrame) -> pl.DataFrame:
    """Rejected rows, with what reads as what it should be, and is not the row's birth date."""
    born = pl.col(_BIRTH).str.replace_all("-", "") if _BIRTH in rejected.columns else pl.lit(None)
    kept: list[pl.Expr] = []
    for name in rejected.columns:
        value = pl.col(name)
        if name in (_REJECTED, "reasons") or kind_of(name) is not None:
            kept.append(value)
        elif name in _READS_AS:
            reads = value.str.strip_chars().str.contains(f"^({_READS_AS[name]})$")
            own = value.str.strip_chars().str.replace_all("-", "").eq_missing(born)
            shown = reads & ~(own & value.is_not_null())
            kept.append(pl.when(shown).then(value).alias(name))
    return rejected.select(kept)


# ---- which masking, and the key -------------------------------------------------------------


def masking(
    out: Path, *, leaves: bool, mask: bool, unmasked: bool, key_file: Path | None
) -> NoMasking:
    """How ids are shown: masked where it is asked for, or where what is written leaves the run folder.

    The key is that of `key_file`, or else of the output folder, where it is made at first need.
    Raises UsageError where both are asked for, or the key cannot be read or made.
    """
    if mask and unmasked:
        raise UsageError("--mask, --unmasked: give one of them, not both.")
    if unmasked or not (mask or leaves):
        return NO_MASKING
    if key_file is not None:
        return Masking(_read_key(key_file))
    own = out / KEY_FILE
    if not own.exists():
        _make_key(own)
    return Masking(_read_key(own))


def _read_key(path: Path) -> bytes:
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(
            f"--mask-key: {path}: cannot be read ({reason}); name a file of {2 * _KEY_BYTES} "
            f"hexadecimal digits, such as `openssl rand -hex {_KEY_BYTES}` writes."
        ) from error
    if not _KEY.fullmatch(text):
        raise UsageError(
            f"--mask-key: {path}: is no key: it must be {2 * _KEY_BYTES} hexadecimal digits or more, "
            f"such as `openssl rand -hex {_KEY_BYTES}` writes."
        )
    return text.strip().lower().encode()


def _make_key(path: Path) -> None:
    """Write a key of its own, whole, for its owner alone; of two that do so at once, one counts."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        staged.unlink(missing_ok=True)
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(f"{secrets.token_hex(_KEY_BYTES)}\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(staged)
    except OSError as error:
        raise UsageError(
            f"--mask-key: {path}: cannot be made ({error.strerror}); name a key with --mask-key."
        ) from error
    finally:
        with suppress(OSError):
            staged.unlink()
