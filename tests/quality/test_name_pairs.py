"""Pairs of names: the form of their files, the tables, and a floor under the normalizer for each language."""

import unicodedata
from collections import Counter

import pytest

from tests.quality.measuring import name_pairs as measuring
from tests.quality.measuring.name_pairs import (
    DIFFERENT_REASONS,
    EASY_REASON,
    SAME_REASONS,
    NamePair,
    measured_languages,
    name_pairs,
)
from tests.quality.measuring.thresholds import FOLDED_FLOOR, NAME_PAIR_FLOORS

LANGUAGES = sorted(NAME_PAIR_FLOORS)


def _of(language: str) -> list[NamePair]:
    return [pair for pair in name_pairs() if pair.language == language]


def test_every_language_has_a_floor() -> None:
    """No file is left out of the floors; there are the sixteen languages and 12,000 pairs that the documents name."""
    assert sorted({pair.language for pair in name_pairs()}) == LANGUAGES
    assert len(LANGUAGES) == 16
    assert len(name_pairs()) > 12_000


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_enough_pairs(language: str) -> None:
    """At least 200 of each judgement, given and family names, and at most a quarter of those that differ are easy."""
    pairs = _of(language)
    different = [pair for pair in pairs if not pair.same]
    assert min(len(different), len(pairs) - len(different)) >= 200
    assert 4 * sum(pair.reason == EASY_REASON for pair in different) <= len(different)
    assert min(Counter((pair.kind, pair.same) for pair in pairs).values()) >= 50
    assert {pair.kind for pair in pairs} == {"given", "family"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_pair_is_there_twice(language: str) -> None:
    names = [frozenset(unicodedata.normalize("NFC", name) for name in pair.names) for pair in _of(language)]
    assert {len(both) for both in names} == {2}
    assert [sorted(both) for both, count in Counter(names).items() if count > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_reasons_are_known(language: str) -> None:
    for pair in _of(language):
        assert pair.reason in (SAME_REASONS if pair.same else DIFFERENT_REASONS), pair
        assert all(pair.names), pair


def test_reasons_are_explained() -> None:
    page = (measuring.FOLDER / "README.md").read_text("utf-8")
    assert [reason for reason in (*SAME_REASONS, *DIFFERENT_REASONS) if reason not in page] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tables_do_not_get_worse(language: str) -> None:
    same, different = measured_languages()[language]
    assert same.of("sound") >= NAME_PAIR_FLOORS[language][0]
    assert different.of("sound") >= NAME_PAIR_FLOORS[language][1]
    assert different.of("folded") >= FOLDED_FLOOR


def test_a_pair_is_right_if_the_normalizer_agrees() -> None:
    spellings, strangers = ("Ђорђевић", "Djordjevic"), ("Ilić", "Marković")
    for names, meet in ((spellings, True), (strangers, False)):
        for same in (True, False):
            assert NamePair("serbian", "family", names, same, "typed", "").is_right("folded") is (same is meet)


def test_wrong_pairs_are_listed() -> None:
    listed = measuring.wrong_pairs()
    wrong = [pair for pair in name_pairs() if not pair.is_right("sound")]
    assert sum(line.count(" / ") for line in listed.splitlines()) == len(wrong)


def test_the_tables_are_in_the_document() -> None:
    """`docs/MATCHING.md` shows the shares as they are measured now."""
    assert measuring.document() == measuring.DOCUMENT.read_text("utf-8")
    assert all(table in measuring.document() for table in measuring.pair_tables().values())
