"""The request after a hit in its receiver's language, and as a message to be copied."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aquila.followup.lifecycle import Channel
from clients.web.render import pdf
from clients.web.text import receiver_letter
from tests.support.letter_example import LETTER

KNOWN = replace(LETTER, channel=Channel.BILATERAL, handling="H1", own_number="AL-1234-5678-9ABC")


@pytest.mark.parametrize("party", receiver_letter.OF_PARTY)
def test_a_letter_has_the_receivers_language(party: str) -> None:
    """Labels, paragraphs and conditions are translated; references stay what they are."""
    view = replace(KNOWN, receiver=party).view()
    translated = receiver_letter.for_receiver(view)
    assert translated is not None
    assert translated.lang == receiver_letter.OF_PARTY[party]
    texts = dict(translated.lines)
    assert len(texts) == len(view.lines)
    assert {"f" * 32, "0" * 32, "AL-1234-5678-9ABC", "counter-terrorism"} <= set(texts.values())
    english = {text for line in view.lines for text in line}
    assert not english & set(texts)
    assert sum(text in english for text in texts.values()) == sum(line[1] in texts.values() for line in view.lines)
    assert not any(said in view.text for said in translated.paragraphs)
    condition = next(text for text in texts.values() if text.startswith("H1: "))
    assert condition not in english
    assert pdf.pdf(view) != pdf.pdf(view.model_copy(update={"message": None}))


def test_no_catalogue_no_translation() -> None:
    """Slovenia has none here, and a node of an earlier release gives no sentences."""
    assert receiver_letter.for_receiver(replace(KNOWN, receiver="SI").view()) is None
    assert receiver_letter.for_receiver(KNOWN.view().model_copy(update={"message": None})) is None


def test_a_message_is_copied_as_lines() -> None:
    """Subject first, then references and handling codes, then the request."""
    lines = receiver_letter.as_text(replace(KNOWN, other_handling="H3").message()).splitlines()
    assert lines[:2] == ["Subject: Request after a hit ffffffff: AL to RS", "References:"]
    assert "- reference of AL: AL-1234-5678-9ABC" in lines
    assert "Handling code: H1" in lines
    assert "Handling code of RS: H3" in lines
    assert "Handling code: none given" in receiver_letter.as_text(LETTER.message())
