"""The tree of errors: each has a place, a sentence, a hint and fields."""

import re
from collections.abc import Iterator

import pytest

from aquila import errors
from aquila.errors import AquilaError, CapError, InputError, PolicyError, ProtocolError
from aquila.sentences import quoted


def below(kind: type[AquilaError], depth: int = 0) -> Iterator[tuple[int, type[AquilaError]]]:
    yield depth, kind
    for derived in kind.__subclasses__():
        if derived.__module__ == errors.__name__:
            yield from below(derived, depth + 1)


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn = re.findall(r"^ {4}([│├└─ ]*)(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    places = {(len(branch) // 4, name) for branch, name in drawn}
    assert places == {(depth, kind.__name__) for depth, kind in below(AquilaError)}


@pytest.mark.parametrize("kind", [kind for _, kind in below(AquilaError)])
def test_an_error_says_what_where_and_what_to_do(kind: type[AquilaError]) -> None:
    error = kind(quoted("the chunk differs", "send it again"), chunk=3, expected="ab")
    assert (str(error), error.message, error.hint) == ("the chunk differs", "the chunk differs", "send it again")
    assert error.fields == {"chunk": 3, "expected": "ab"}
    assert kind(quoted("no more")).hint == ""
    assert kind(quoted("no more")).fields == {}


def test_who_was_wrong() -> None:
    """A cap is a rule, not a fault of the protocol, and an input is the caller's."""
    assert issubclass(CapError, PolicyError)
    assert not issubclass(CapError, ProtocolError)
    assert not issubclass(InputError, ProtocolError)
