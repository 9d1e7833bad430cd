"""Words for what services name by a code."""

from __future__ import annotations

import pytest

from aquila.records.rules import load_rules
from clients.web.i18n.languages import TAGS, languages
from clients.web.text.labels import RULE_PARTS, filters

PLAIN = "similar name + initial + full date of birth"


@pytest.mark.parametrize("table", ["default", "exact"])
def test_every_part_of_a_rule_has_plain_words(table: str) -> None:
    """A part that the table gains is named here as well, in every language."""
    names = {part.name for rule in load_rules(table).rules for part in rule.parts}
    assert names <= RULE_PARTS.keys()


@pytest.mark.parametrize("tag", TAGS)
def test_a_rule_is_one_plain_line(tag: str) -> None:
    """Its parts are joined by a plus sign, in the reader's language."""
    line = filters(languages()[tag])["plain_rule"](("name and initial", "whole date"))
    assert (line == PLAIN) is (tag == "en")
    assert line.count(" + ") == 2
