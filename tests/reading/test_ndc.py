"""NDCs in every notation, against a plain re-implementation; a scan must lose none of them."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims_edit.normalise import ndc_11
from claims_edit.scope import Scope

# Nine digits each. Some begin with zeros in the labeler, the product or both, and some share digits,
# so that ten bare digits can be read in more than one way.
PRODUCTS = (
    "123456789",
    "012345678",
    "123450678",
    "012340567",
    "000010001",
    "012340056",
    "001230045",
    "123400567",
    "000000000",
    "100000000",
)
NOTATIONS = ((4, 4, 2), (5, 3, 2), (5, 4, 1), (5, 4, 2))


def naive_11(text: str | None, products: tuple[str, ...]) -> str | None:
    """The eleven digits of an NDC, read by hand."""
    text = (text or "").strip().upper()
    if text.startswith("N4"):
        text = text[2:]
    if re.fullmatch("[0-9]+-[0-9]+-[0-9]+", text):
        labeler, product, package = text.split("-")
        if (len(labeler), len(product), len(package)) in NOTATIONS:
            return labeler.rjust(5, "0") + product.rjust(4, "0") + package.rjust(2, "0")
        return None
    if re.fullmatch("[0-9]{11}", text):
        return text
    if re.fullmatch("[0-9]{10}", text):
        ways = ["0" + text, text[:5] + "0" + text[5:], text[:9] + "0" + text[9:]]
        known = [way for way in ways if way[:9] in products]
        return known[0] if len(known) == 1 else None
    return None


def by_engine(texts: list[str | None], products: tuple[str, ...]) -> list[str | None]:
    frame = pl.DataFrame({"ndc": texts}, schema={"ndc": pl.String})
    read = frame.select(ndc_11(pl.col("ndc").str.strip_chars(), list(products)))
    return read.to_series().to_list()


def found(texts: list[str | None], products: tuple[str, ...]) -> list[bool | None]:
    """Whether a scan for the products finds the text, as it comes."""
    schema = {"hcpcs_code": pl.String(), "ndc_code": pl.String()}
    frame = pl.DataFrame({"hcpcs_code": None, "ndc_code": texts}, schema=schema)
    return (
        frame.select(Scope("J0000", products, products).of_raw(dict(schema))).to_series().to_list()
    )


def notations_of(product: str, package: str) -> list[str]:
    """Every way to write an NDC of a product: hyphenated where zeros can be left out, and bare."""
    full = (product[:5], product[5:], package)
    hyphenated = [
        "-".join(part[len(part) - width :] for part, width in zip(full, widths, strict=True))
        for widths in NOTATIONS
        if all(
            not part[: len(part) - width].strip("0")
            for part, width in zip(full, widths, strict=True)
        )
    ]
    return hyphenated + [text.replace("-", "") for text in hyphenated]


def dressed(text: str) -> list[str]:
    """The same text with the qualifier, in both cases, and among blanks."""
    return [
        f"{before}{qualifier}{text}{after}"
        for qualifier in ("", "N4", "n4")
        for before, after in (("", ""), (" ", ""), ("", "  "), ("\t", "\n"), ("\u00a0", "\u2003"))
    ]


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("package", ["00", "01", "10", "99"])
def test_every_notation_of_every_product_is_read_and_found(product: str, package: str) -> None:
    texts: list[str | None] = [d for n in notations_of(product, package) for d in dressed(n)]
    assert len(texts) >= 2 * len(dressed(""))
    read = by_engine(texts, PRODUCTS)
    assert read == [naive_11(text, PRODUCTS) for text in texts]
    hyphenated = [ndc for text, ndc in zip(texts, read, strict=True) if text and "-" in text]
    assert set(hyphenated) == {product + package}
    assert all(found(texts, (product,)))


digits = st.text("0123456789", min_size=9, max_size=12)


@st.composite
def near_ndcs(draw: st.DrawFn) -> str | None:
    """NDCs of known products, of others, and what is nearly one."""
    product = draw(st.sampled_from(PRODUCTS) | st.text("01", min_size=9, max_size=9))
    package = draw(st.sampled_from(["00", "01", "10", "12"]))
    text = draw(st.sampled_from(notations_of(product, package)) | digits)
    text = draw(st.sampled_from(dressed(text)))
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(["-", "0", "N4", " ", "A", "\u0661"])) + text[at:]
    return draw(st.sampled_from([text, text, text, text, text, None]))


@settings(max_examples=150, deadline=None)
@given(st.lists(near_ndcs(), min_size=1, max_size=40), st.sets(st.sampled_from(PRODUCTS)))
def test_a_scan_loses_no_line_of_the_drug(texts: list[str | None], drug: set[str]) -> None:
    read = by_engine(texts, PRODUCTS)
    assert read == [naive_11(text, PRODUCTS) for text in texts]
    hits = found(texts, tuple(sorted(drug)))
    lost = [
        text
        for text, ndc, hit in zip(texts, read, hits, strict=True)
        if ndc is not None and ndc[:9] in drug and not hit
    ]
    assert lost == []


@pytest.mark.parametrize(
    "text",
    ["", "N4", "123456789", "123456789012", "1234-5678-9", "12345-678-9", "123456-789-01",
     "12345-6789-001", "1234567890A", "12345 6789 01", "N4 12345678901", "NDC12345678901",
     "12345-678901", "+2345678901", "1234567890.0", "\u0661\u0662\u0663\u0664\u0665678901"],
)  # fmt: skip
def test_what_is_no_ndc(text: str) -> None:
    assert by_engine([text], PRODUCTS) == [None]


@pytest.mark.parametrize(
    ("text", "products", "ndc"),
    [
        ("1234567890", ("012345678",), "01234567890"),
        ("1234567890", ("123450678",), "12345067890"),
        ("1234567890", ("123456789",), "12345678900"),
        ("1234567890", (), None),
        ("1234567890", ("012345678", "123456789"), None),
        ("1234567890", ("012345678", "999999999"), "01234567890"),
        ("12345678901", (), "12345678901"),
    ],
)
def test_ten_bare_digits_are_one_product_or_none(
    text: str, products: tuple[str, ...], ndc: str | None
) -> None:
    assert by_engine([text], products) == [ndc]


def test_without_products_nothing_is_found() -> None:
    assert found(["", "12345678901", None], ()) == [False, False, False]
