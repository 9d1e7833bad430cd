"""The checks that every backend shares."""

import pytest

from aquila.crypto.group import GENERATOR, ORDER, require_elements, require_equal, require_messages, require_scalars
from aquila.errors import InputError, MalformedError


def scalar(number: int) -> bytes:
    return number.to_bytes(32, "little")


def test_counts_elements_and_scalars() -> None:
    """A batch is as many values as it has times 32 bytes, also when it is empty."""
    assert [require_elements(GENERATOR * count) for count in (0, 1, 3)] == [0, 1, 3]
    assert [require_scalars(scalar(1) * count) for count in (0, 1, 3)] == [0, 1, 3]


@pytest.mark.parametrize("length", [1, 31, 33, 63])
def test_length_that_is_no_multiple(length: int) -> None:
    """Left-over bytes are refused, not ignored."""
    with pytest.raises(MalformedError):
        require_elements(b"\x02" * length)
    with pytest.raises(MalformedError):
        require_scalars(b"\x02" * length)


@pytest.mark.parametrize("shift", [0, 64, 128, 192])
def test_scalars_around_the_order(shift: int) -> None:
    """Whatever word decides, a scalar below the order is accepted, and the order and what is above are refused."""
    low, high = ORDER - (1 << shift), ORDER + (1 << shift)
    assert require_scalars(scalar(low)) == 1
    for number in (ORDER, high):
        with pytest.raises(MalformedError):
            require_scalars(scalar(number))


def test_refused_scalar_is_named_by_position() -> None:
    with pytest.raises(MalformedError) as caught:
        require_scalars(scalar(1) + scalar(0) + scalar(2**256 - 1))
    assert caught.value.fields == {"index": 1}


def test_scalars_may_be_overwritten_afterwards() -> None:
    """A bytearray is checked without being kept: it can still be overwritten and resized."""
    secret = bytearray(scalar(5))
    require_scalars(secret)
    secret.clear()
    assert not secret


def test_batches_of_different_length() -> None:
    assert require_equal(3, 3) == 3
    with pytest.raises(InputError):
        require_equal(3, 4)


def test_counts_messages() -> None:
    """Messages are counted by their width; anything else than a whole number of them is refused."""
    assert [require_messages(bytes(length), 3) for length in (0, 3, 9)] == [0, 1, 3]
    for messages, width in ((b"abc", 2), (b"", 0), (b"abc", -1)):
        with pytest.raises(InputError):
            require_messages(messages, width)
