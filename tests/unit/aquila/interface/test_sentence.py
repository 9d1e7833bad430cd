"""Sentences in an interface: what a service sends is composed again, and what is none is quoted."""

from aquila.interface.sentence import FaultView, SentenceView
from aquila.sentences import Sentence, quoted


def test_a_sentence_comes_back_from_json() -> None:
    sentence = Sentence.of("given_up", problem=Sentence.of("chunk_missing"), attempts=3)
    view = SentenceView.model_validate_json(SentenceView.of(sentence).model_dump_json())
    assert view.sentence == sentence
    assert view.text.endswith("(tried 3 times)")


def test_what_is_no_sentence_is_quoted() -> None:
    assert SentenceView(code="No Id", fields={}, text="it failed").sentence == quoted("it failed")


def test_a_fault_has_its_remedy() -> None:
    """The hint is composed with the fields, stays in JSON, and is missing in what an earlier release sent."""
    fault = Sentence.of("health_round_stuck", round="abababab", parties="AL", hours=2)
    view = FaultView.model_validate_json(FaultView.of(fault).model_dump_json())
    assert view.sentence == fault
    assert view.hint == "`aquila round show abababab` shows each step"
    assert FaultView.model_validate(SentenceView.of(fault).model_dump()).hint == ""
