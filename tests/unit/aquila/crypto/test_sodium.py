"""The libsodium backend: how the library is found; and, for every backend, batches that are no batches."""

import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aquila.crypto.group import GENERATOR, ORDER, Group
from aquila.crypto.sodium import _SIGNATURES, SodiumGroup, load_bundled_library, load_library
from aquila.errors import InputError, MalformedError


def scalar(number: int) -> bytes:
    return number.to_bytes(32, "little")


def refuse(_: str) -> Any:
    raise OSError


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_chosen_library_says_what_it_is() -> None:
    assert load_library().reason.startswith("libsodium 1.")


def test_system_library_that_is_complete() -> None:
    """The first system library with ristretto255 is taken, and the reason names it."""
    version = type("Version", (), {"__call__": lambda _: b"1.0.99"})()
    functions = {symbol: SimpleNamespace() for symbol in _SIGNATURES}
    fake = SimpleNamespace(sodium_init=lambda: 1, sodium_version_string=version, **functions)
    library = load_library(["libsodium.so.99"], open_library=lambda _: fake)
    assert library.handle is fake
    assert library.reason == "libsodium 1.0.99, the system's libsodium.so.99"


@pytest.mark.parametrize("open_library", [refuse, lambda _: SimpleNamespace()], ids=["absent", "without-ristretto"])
def test_bundled_library_stands_in(open_library: Callable[[str], Any], temporary: Path) -> None:
    """Without a usable system library rbcl's copy is loaded, computes right, and leaves no file behind."""
    library = load_library(open_library=open_library)
    assert "the copy in the package rbcl" in library.reason
    assert SodiumGroup(library=library).multiply_base(scalar(1)) == GENERATOR
    assert list(temporary.iterdir()) == []


def test_bundled_package_is_not_run() -> None:
    """The package rbcl is read, not imported, because importing it leaves a file behind."""
    load_bundled_library()
    assert "rbcl" not in sys.modules


@pytest.mark.parametrize("package", ["aquila_absent", "hmac", "json"])
def test_no_library_at_all(package: str) -> None:
    with pytest.raises(InputError) as caught:
        load_bundled_library(package)
    assert "libsodium23" in caught.value.hint


def test_bundled_library_in_another_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that holds its library in another way is refused, not guessed at."""
    folder = tmp_path / "aquila_other_rbcl"
    folder.mkdir()
    folder.joinpath("__init__.py").touch()
    folder.joinpath("_sodium.py").write_text("sodium_bs = b''\n", encoding="ascii")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError):
        load_bundled_library("aquila_other_rbcl")


def test_library_that_cannot_be_initialized() -> None:
    functions = {symbol: SimpleNamespace() for symbol in _SIGNATURES}
    fake = SimpleNamespace(sodium_init=lambda: -1, **functions)
    with pytest.raises(InputError):
        load_library(["libsodium.so.99"], open_library=lambda _: fake)


def test_group_says_what_it_is() -> None:
    group = SodiumGroup(2)
    assert group.name == "libsodium"
    assert group.reason.startswith("libsodium 1.")
    assert group.reason.endswith("threads: 2")


def test_no_thread() -> None:
    with pytest.raises(InputError):
        SodiumGroup(0)


def test_empty_batches(group: Group) -> None:
    group.validate(b"")
    assert not group.hash_to_group(b"", 32, b"dst")
    assert not group.multiply(b"", scalar(1))
    assert not group.multiply_hashed(b"", 32, b"dst", scalar(1))
    assert not group.unblind(b"", GENERATOR, b"")
    assert not group.multiply_base(b"")
    assert not group.blind(b"", 32, b"dst", b"")
    assert not group.mac(b"key", b"", 32)
    assert not group.reduce_each(b"")


def test_empty_sum(group: Group) -> None:
    with pytest.raises(InputError):
        group.weighted_sum(b"", b"")


@pytest.mark.parametrize(("messages", "width"), [(b"abc", 0), (b"abc", 2), (b"", -1)])
def test_messages_of_another_width(group: Group, messages: bytes, width: int) -> None:
    with pytest.raises(InputError):
        group.hash_to_group(messages, width, b"dst")
    with pytest.raises(InputError):
        group.blind(messages, width, b"dst", b"")
    with pytest.raises(InputError):
        group.mac(b"key", messages, width)


@pytest.mark.parametrize("dst", [b"", b"d" * 256])
def test_tag_of_another_length(group: Group, dst: bytes) -> None:
    with pytest.raises(InputError):
        group.hash_to_group(b"abc", 3, dst)
    with pytest.raises(InputError):
        group.blind(b"abc", 3, dst, scalar(1))


def test_batches_of_different_length(group: Group) -> None:
    """Operands that belong together must be equally many."""
    with pytest.raises(InputError):
        group.unblind(GENERATOR * 2, GENERATOR, scalar(1))
    with pytest.raises(InputError):
        group.weighted_sum(GENERATOR, scalar(1) * 2)
    with pytest.raises(InputError):
        group.multiply(GENERATOR, scalar(1) * 2)
    with pytest.raises(InputError):
        group.blind(b"abc", 1, b"dst", scalar(1) * 2)


def test_blinding_is_hashing_and_adding(group: Group, random: Callable[[int], bytes]) -> None:
    """Blinding gives what its steps give, and unblinding takes it away again."""
    messages, scalars = random(40 * 301), group.reduce_each(random(64 * 301))
    elements, blinded = group.hash_to_group(messages, 40, b"dst"), group.blind(messages, 40, b"dst", scalars)
    multiples = group.multiply_base(scalars)
    sums = [group.weighted_sum(elements[at : at + 32] + multiples[at : at + 32], scalar(1) * 2) for at in (0, 9600)]
    assert sums == [blinded[at : at + 32] for at in (0, 9600)]
    assert group.unblind(blinded, GENERATOR, scalars) == elements
    assert group.multiply_hashed(messages, 40, b"dst", scalars[:32]) == group.multiply(elements, scalars[:32])


@pytest.mark.parametrize("number", [0, ORDER, 2**256 - 1])
def test_refused_scalar(group: Group, number: int) -> None:
    """Zero and what is not below the order are refused wherever a scalar is taken."""
    bad = scalar(number)
    calls: list[Callable[[], object]] = [
        lambda: group.multiply(GENERATOR, bad),
        lambda: group.multiply_hashed(b"abc", 3, b"dst", bad),
        lambda: group.unblind(GENERATOR, GENERATOR, bad),
        lambda: group.multiply_base(bad),
        lambda: group.weighted_sum(GENERATOR, bad),
        lambda: group.blind(b"abc", 3, b"dst", bad),
        lambda: group.respond(bad, scalar(1), scalar(1)),
        lambda: group.respond(scalar(1), bad, scalar(1)),
        lambda: group.respond(scalar(1), scalar(1), bad),
    ]
    for call in calls:
        with pytest.raises(MalformedError):
            call()


def test_scalar_arithmetic(group: Group, random: Callable[[int], bytes]) -> None:
    wide = random(64 * 100)
    scalars = group.reduce_each(bytearray(wide))
    numbers = [int.from_bytes(wide[start : start + 64], "little") % ORDER for start in range(0, len(wide), 64)]
    assert scalars == b"".join(map(scalar, numbers))
    nonce, challenge, secret = numbers[:3]
    expected = scalar((nonce - challenge * secret) % ORDER)
    assert group.respond(*(bytearray(scalar(number)) for number in (nonce, challenge, secret))) == expected


def test_reduction_of_another_width(group: Group) -> None:
    with pytest.raises(InputError):
        group.reduce_each(bytes(65))


def test_sum_that_passes_through_the_identity(group: Group) -> None:
    pair = scalar(1) + scalar(ORDER - 1)
    assert group.weighted_sum(GENERATOR * 3, pair + scalar(1)) == GENERATOR
    with pytest.raises(MalformedError):
        group.weighted_sum(GENERATOR * 2, pair)


def test_batches_from_several_threads(group: Group, random: Callable[[int], bytes]) -> None:
    batches = [random(32 * 100) for _ in range(8)]
    expected = [SodiumGroup().hash_to_group(batch, 32, b"dst") for batch in batches]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda batch: group.hash_to_group(batch, 32, b"dst"), batches)) == expected
