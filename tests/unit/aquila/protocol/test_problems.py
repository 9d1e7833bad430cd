"""The table of problems: complete, unambiguous, and the same error after a journey."""

import json
from collections.abc import Iterator

import pytest

from aquila.errors import AquilaError, AuditError, CapError, DigestError, MalformedError, OrderError, ReplayError
from aquila.protocol.problems import PROBLEMS, ProblemType, error_from_problem, problem_of, problem_type_of
from aquila.sentences import quoted


def _tree(kind: type[AquilaError] = AquilaError) -> Iterator[type[AquilaError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


_CORE = [kind for kind in _tree() if kind.__module__ == "aquila.errors"]


def test_every_error_of_the_tree_has_a_row_and_every_row_an_error() -> None:
    assert set(PROBLEMS) == set(_CORE)


def test_slugs_and_titles_are_unique() -> None:
    assert len({row.slug for row in PROBLEMS.values()}) == len(PROBLEMS)
    assert len({row.title for row in PROBLEMS.values()}) == len(PROBLEMS)


@pytest.mark.parametrize("kind", _CORE)
def test_an_error_comes_back_as_the_same_class_with_the_same_content(kind: type[AquilaError]) -> None:
    document = json.dumps(problem_of(kind(quoted("it failed", "do this"), round="r1", chunk=3, status=7))).encode()
    back = error_from_problem(document)
    assert type(back) is kind
    assert (back.message, back.hint, back.fields) == ("it failed", "do this", {"round": "r1", "chunk": 3, "status": 7})


def test_a_sentence_of_the_table_comes_back_as_one() -> None:
    """So it can be said in the reader's language; one whose places are not filled is the peer's text."""
    error = AuditError("entry_report_not_due", index=3, party="AL")
    assert error_from_problem(json.dumps(problem_of(error)).encode()).sentence == error.sentence
    back = error_from_problem({"code": error.sentence.code, "detail": "it failed"})
    assert (back.sentence.code, back.message) == ("quoted", "it failed")


def test_the_document_has_the_members_of_the_rfc() -> None:
    document = problem_of(CapError(quoted("too many"), got=3), "urn:x:1")
    assert document == {
        "type": "urn:aquila:problem:cap",
        "title": "More elements than the caps allow",
        "status": 403,
        "detail": "too many",
        "instance": "urn:x:1",
        "fields": {"got": 3},
    }


def test_empty_members_are_left_out() -> None:
    assert set(problem_of(OrderError(quoted("not due")))) == {"type", "title", "status", "detail"}


def test_a_subclass_without_a_row_has_its_ancestor_s() -> None:
    class LocalError(DigestError):
        """Declared by a test."""

    assert problem_type_of(LocalError).slug == "digest"


def test_a_service_extends_the_table() -> None:
    """The core's functions take a larger table."""

    class AwayError(AquilaError):
        """Declared by a test."""

    table = dict(PROBLEMS) | {AwayError: ProblemType("away", "Away", 503)}
    document = problem_of(AwayError("gone"), table=table)
    assert document["status"] == 503
    assert type(error_from_problem(document, table)) is AwayError


def test_an_unknown_type_is_a_plain_error_that_names_it() -> None:
    error = error_from_problem({"type": "urn:else", "title": "Else", "fields": {"a": 1}})
    assert type(error) is AquilaError
    assert error.message == "Else"
    assert error.fields == {"a": 1, "problem": "urn:else"}


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"3", b"{", b"[" * 100_000, b'{"a":NaN'])
def test_bytes_that_are_no_document_give_a_malformed_error(body: bytes) -> None:
    assert type(error_from_problem(body)) is MalformedError


def test_a_document_without_texts_still_says_something() -> None:
    assert error_from_problem(b"{}").message == "the peer refused without a reason"


def test_a_peer_cannot_write_to_the_terminal() -> None:
    """Control characters and long texts are taken out of what a person will read."""
    error = error_from_problem(
        {"type": 3, "detail": "a\x1b[2J\nb" + "c" * 9_000, "hint": ["x"], "fields": {"f": "\x07g"}}
    )
    assert error.message.startswith("a [2J bc")
    assert len(error.message) == 2_000
    assert error.hint == ""
    assert error.fields["f"] == "g"


def test_fields_that_an_error_cannot_carry_are_left_out() -> None:
    """Names that are none of a place or are those of a quoted text, other values, and more than a few fields."""
    fields = {"hint": "y", "no name": 2, "ä": 3, "nested": {}, "true": True, "float": 1.5, "ok": 4}
    assert error_from_problem({"type": PROBLEMS[ReplayError].uri, "fields": fields}).fields == {"ok": 4}
    assert error_from_problem({"type": PROBLEMS[ReplayError].uri, "fields": [1]}).fields == {}
    many = {f"f{number}": number for number in range(100)}
    assert len(error_from_problem({"type": PROBLEMS[ReplayError].uri, "fields": many}).fields) == 32
