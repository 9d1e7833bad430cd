"""Words for what services name by a code."""

import pytest

from aquila.audit.entries import EntryKind, Word
from aquila.interface.records import ReferenceKind
from aquila.records.rules import load_rules
from clients.web.i18n.languages import TAGS, languages
from clients.web.text.labels import REFERENCES, RULE_PARTS, filters
from clients.web.text.log_entries import KINDS, WORDS

PLAIN = "similar name + initial + full date of birth"


@pytest.mark.parametrize("table", ["default", "exact"])
def test_every_part_of_a_rule_has_plain_words(table: str) -> None:
    names = {part.name for rule in load_rules(table).rules for part in rule.parts}
    assert names <= RULE_PARTS.keys()


def test_every_reference_says_what_it_is() -> None:
    assert REFERENCES.keys() == {kind.value for kind in ReferenceKind}


@pytest.mark.parametrize("tag", TAGS)
def test_a_rule_is_one_plain_line(tag: str) -> None:
    """Its parts are joined by a plus sign, in the reader's language."""
    line = filters(languages()[tag])["plain_rule"](("name and initial", "whole date"))
    assert (line == PLAIN) is (tag == "en")
    assert line.count(" + ") == 2


def test_a_rule_is_named_in_plain_words() -> None:
    """The name of a rule becomes its parts; a rule that no built-in table has keeps its name."""
    named = filters(languages()["en"])["rule_named"]
    assert named("name, initial and date") == PLAIN
    assert named("a rule of our own") == "a rule of our own"


def test_a_date_is_not_broken_in_a_narrow_place() -> None:
    """A person in a list is names and date, as far as the record has them, and no name is read as markup."""
    line = filters(languages()["en"])["person_line"]
    date = '<span class="nowrap">1972-12-25</span>'
    assert (
        line({"given_names": ["A<b>"], "family_names": ["B"], "date_of_birth": "1972-12-25"}) == f"A&lt;b&gt; B, {date}"
    )
    assert line({"date_of_birth": "1972-12-25"}) == date
    assert not line({})


def test_every_kind_of_entry_has_a_label_and_a_sentence() -> None:
    """Whoever adds a kind says what it is called, and what the story of a round tells of it."""
    assert sorted(set(EntryKind) ^ KINDS.keys()) == [], "add them to KINDS in clients/web/text/log_entries.py"


def test_every_word_of_an_entry_is_said() -> None:
    """Else a reader would see the beginning of its code."""
    assert sorted(set(Word) - WORDS.keys()) == [], "add them to WORDS in clients/web/text/log_entries.py"
