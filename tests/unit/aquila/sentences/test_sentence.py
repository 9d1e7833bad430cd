"""Sentences: composed from id and fields, stored, and read from anybody."""

import pytest

from aquila.errors import InputError, PolicyError
from aquila.sentences import Sentence, hint_of, quoted, text_of
from aquila.sentences.sentence import MOST_FIELDS, dumps, filled, from_json, loads, to_json
from tests.support.pickled import sent

CHUNK = Sentence.of("chunk_cannot_be_had", reason=Sentence.of("chunk_missing"))


def test_a_sentence_within_a_sentence_is_composed_too() -> None:
    assert text_of(CHUNK) == f"the chunk cannot be had: {text_of(Sentence.of('chunk_missing'))}"


def test_the_hint_is_its_own_or_that_of_its_reason() -> None:
    inner = quoted("the disk is full", "make room")
    assert hint_of(Sentence.of("chunk_cannot_be_had", reason=inner)) == "make room"
    assert hint_of(inner) == "make room"
    assert hint_of(CHUNK) == hint_of(Sentence.of("chunk_missing"))


def test_a_place_without_a_field_stays_visible() -> None:
    """A peer's sentence may lack one; nothing fails over it."""
    assert filled("{party} said {number}", {"number": 3}, text_of) == "{party} said 3"


def test_an_unknown_id_is_shown_as_it_is() -> None:
    assert text_of(Sentence.of("from_the_future")) == "from_the_future"
    assert hint_of(Sentence.of("from_the_future")) == ""


@pytest.mark.parametrize("sentence", [CHUNK, quoted("text", "hint"), Sentence.of("chunk_missing", number=3)])
def test_a_stored_sentence_is_read_again(sentence: Sentence) -> None:
    """A database keeps id and fields; a worker's error crosses to another process."""
    assert loads(dumps(sentence)) == sentence
    assert sent(sentence) == sentence
    error = sent(PolicyError(sentence, party="RS"))
    assert (error.sentence, error.fields["party"]) == (PolicyError(sentence, party="RS").sentence, "RS")


@pytest.mark.parametrize("text", ["the round is over", "", "{", '"text"', "[1]", '{"code": 1}', '{"code": "A B"}'])
def test_a_text_of_an_earlier_release_is_quoted(text: str) -> None:
    assert loads(text) == quoted(text)


def test_what_a_peer_sends_is_bounded() -> None:
    """Fields are few, texts short and printable, and sentences not nested without end."""
    many = {f"f{number}": number for number in range(MOST_FIELDS + 10)}
    found = from_json({"code": "x", "fields": many | {"F": 1}})
    assert found is not None
    assert len(found.fields) == MOST_FIELDS
    odd = from_json({"code": "x", "fields": {"a": "1\x1b[2J\n", "b": 1.5, "c": None, "d": True, "e": [1], "F G": 1}})
    assert odd == Sentence.of("x", a="1 [2J")
    long = from_json({"code": "x", "fields": {"a": "y" * 5_000}})
    assert long is not None
    assert len(str(long.fields["a"])) == 2_000
    deep: object = {"code": "x"}
    for _ in range(50):
        deep = {"code": "x", "fields": {"a": deep}}
    assert dumps(from_json(deep) or quoted("")).count("code") < 10


@pytest.mark.parametrize("content", [None, 3, "x", [], {}, {"code": "x", "fields": []}, {"code": "x" * 200}])
def test_what_is_no_sentence_is_none(content: object) -> None:
    assert from_json(content) is None


def test_json_has_sentences_as_objects() -> None:
    reason = {"code": "chunk_missing", "fields": {}}
    assert to_json(CHUNK) == {"code": "chunk_cannot_be_had", "fields": {"reason": reason}}


def test_an_error_s_fields_for_machines_are_no_sentences() -> None:
    """What a service tells a program are numbers and texts; objects become their texts."""
    error = InputError("chunk_cannot_be_had", reason=Sentence.of("chunk_missing"), chunk=3, path=object)
    assert error.fields == {"chunk": 3, "path": str(object)}
