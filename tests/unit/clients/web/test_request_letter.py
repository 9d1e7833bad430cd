"""The request after a hit in its receiver's language, and as a message to be copied."""

from dataclasses import replace

import pytest

from aquila.followup.lifecycle import Channel
from clients.web.i18n.languages import TAGS, languages
from clients.web.render import pdf
from clients.web.text import request_letter
from services.node.hits.letter import LetterHit
from tests.support.letter_example import LETTER, head_of

HIT = LetterHit("f" * 32, "high", "AL-1234-5678-9ABC", handling="H1")
KNOWN = replace(LETTER, channel=Channel.BILATERAL, hits=(HIT,))


@pytest.mark.parametrize("party", request_letter.OF_PARTY)
def test_a_letter_has_the_receivers_language(party: str) -> None:
    """Labels, paragraphs and conditions are translated; references stay what they are."""
    view = replace(KNOWN, receiver=party).view()
    sent, translated = request_letter.versions(view, languages()["en"])
    assert sent.lang == "en"
    head = head_of(view)
    assert sent.lines == list(head.items())
    assert translated.lang == request_letter.OF_PARTY[party]
    texts = dict(translated.lines)
    assert len(texts) == len(head)
    assert {"f" * 32, "0" * 32, "AL-1234-5678-9ABC", "counter-terrorism"} <= set(texts.values())
    english = {*head, *head.values()}
    assert not english & set(texts)
    assert sum(text in english for text in texts.values()) == sum(text in texts.values() for text in head.values())
    assert not any(said in view.text for said in translated.paragraphs)
    condition = next(text for text in texts.values() if text.startswith("H1: "))
    assert condition not in english
    english_receiver = replace(KNOWN, receiver="CH").view()
    assert pdf.pdf(view, languages()["en"]) != pdf.pdf(english_receiver, languages()["en"])


@pytest.mark.parametrize("tag", TAGS)
def test_a_letter_begins_in_its_senders_language(tag: str) -> None:
    """The receiver's follows, English for one that is no party, and nothing is there twice."""
    own = languages()[tag]
    for party, receivers in (("RS", "sr-Cyrl"), ("XK", "sq"), ("CH", "en")):
        view = replace(KNOWN, receiver=party).view()
        made = request_letter.versions(view, own)
        assert [one.lang for one in made] == ([tag] if tag == receivers else [tag, receivers])
        assert made[0].title == own.compose(view.title.sentence)
        assert made[0].signed_by == own.say("Signature")


def test_a_message_is_copied_as_lines() -> None:
    """Subject first, then references and handling codes, then the request."""
    lines = request_letter.as_text(replace(KNOWN, hits=(replace(HIT, other_handling="H3"),)).message()).splitlines()
    assert lines[:2] == ["Subject: Request after a hit ffffffff: AL to RS", "References:"]
    assert "- reference of AL: AL-1234-5678-9ABC" in lines
    assert "Handling code: H1" in lines
    assert "Handling code of RS: H3" in lines
    assert "Handling code: none given" in request_letter.as_text(LETTER.message())
