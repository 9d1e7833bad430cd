"""Names that a speaker of each language would call the same, and names that differ.

Each file of `languages/` holds pairs of invented names. The form says how two must agree: `folded`, word for word in
spelling, whatever the order; `sound`, word for word by consonants and known variants; `pair`, one given and one family
name by their sound, as the match rules take them. Of names that differ it says the coarsest of these in which they
still do: `pair` where they share no pair at all.
"""

import csv
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pytest

from aquila.records.normalize.names import name_words, sound

PAGES = sorted(Path(__file__).parent.joinpath("languages").glob("*.tsv"))
PARTIES = (
    "albanian",
    "bosnian",
    "bulgarian",
    "croatian",
    "german",
    "hungarian",
    "macedonian",
    "moldovan",
    "montenegrin",
    "romanian",
    "serbian",
    "slovene",
)
ALSO = ("arabic", "turkish")
FEWEST = 30


class Pair(NamedTuple):
    verdict: str
    form: str
    one: str
    other: str


def _pairs(page: Path) -> list[Pair]:
    with page.open(encoding="utf-8", newline="") as lines:
        return [Pair(*row) for row in csv.reader(lines, delimiter="\t")][1:]


def _agrees(form: str, one: str, other: str) -> bool:
    first, second = name_words(one), name_words(other)
    if form == "folded":
        return sorted(first) == sorted(second)
    heard, again = sorted(map(sound, first)), sorted(map(sound, second))
    if form == "sound":
        return heard == again
    return not set(combinations(heard, 2)).isdisjoint(combinations(again, 2))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_names_agree_as_a_speaker_says(page: Path) -> None:
    wrong = [one for one in _pairs(page) if _agrees(one.form, one.one, one.other) is not (one.verdict == "same")]
    assert [(*one, name_words(one.one), name_words(one.other)) for one in wrong] == []


def test_each_language_has_enough_pairs() -> None:
    """At least 30 that are the same and 30 that differ, for each party's language, each pair once."""
    assert [page.stem for page in PAGES] == sorted((*PARTIES, *ALSO))
    for page in PAGES:
        pairs = _pairs(page)
        verdicts = [pair.verdict for pair in pairs]
        assert min(verdicts.count("same"), verdicts.count("differ")) >= FEWEST
        assert len({(pair.form, pair.one, pair.other) for pair in pairs}) == len(pairs)
