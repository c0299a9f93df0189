"""The page of sentences says what the policies say."""

from __future__ import annotations

from claims_edit.policies import policy_ids
from tests.policies import generate_docs
from tests.support import REFERENCE, policy


def test_the_docs_are_written_from_the_policies() -> None:
    assert generate_docs.is_current()


def test_the_page_has_every_sentence_once_a_version() -> None:
    page = generate_docs.PAGE.read_text(encoding="utf-8")
    rows = sum(line.startswith("| ") for line in page.splitlines())
    tables = 4 * sum(len(policy(name).versions) for name in policy_ids(REFERENCE))
    sentences = sum(policy(name).sentences.height for name in policy_ids(REFERENCE))
    assert rows == sentences + tables
