"""The native backends: how they are found, and what their C modules refuse."""

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import cast

import numpy as np
import pytest

from aquila.crypto.group import GENERATOR
from aquila.crypto.native.batch import NATIVE_BACKENDS, NativeBackend, NativeGroup, load_core
from aquila.errors import InputError


def scalar(number: int) -> bytes:
    return number.to_bytes(32, "little")


@pytest.fixture(scope="module", params=NATIVE_BACKENDS)
def backend(request: pytest.FixtureRequest) -> NativeBackend:
    return cast("NativeBackend", request.param)


@pytest.fixture(scope="module")
def core(backend: NativeBackend) -> ModuleType:
    """The backend's C module, where it was built and the processor can run it."""
    try:
        return load_core(backend)
    except InputError as absent:
        pytest.skip(str(absent))


def test_module_that_was_not_built() -> None:
    with pytest.raises(InputError, match="the backend absent was not built here"):
        load_core(cast("NativeBackend", "absent"))


def test_processor_that_lacks_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor that cannot run the code is told by what it lacks."""
    module = "aquila.crypto.native._old"
    monkeypatch.setitem(sys.modules, module, SimpleNamespace(missing=lambda: ("avx512f", "avx512ifma")))
    with pytest.raises(InputError, match="the processor lacks avx512f, avx512ifma"):
        load_core(cast("NativeBackend", "old"))


@pytest.mark.usefixtures("core")
def test_module_is_found_by_default(backend: NativeBackend) -> None:
    """A group without a module takes the one that was built, and says what it runs on."""
    group = NativeGroup(backend, 3)
    assert group.multiply_base(scalar(1)) == GENERATOR
    assert (group.name, group.reason) == (backend, f"{NATIVE_BACKENDS[backend]}; threads: 3")


def test_no_thread(backend: NativeBackend, core: ModuleType) -> None:
    with pytest.raises(InputError):
        NativeGroup(backend, 0, core)


def test_buffers_that_do_not_fit(core: ModuleType) -> None:
    """The C module checks every length itself: a wrong one is an error, never memory that is not its own."""
    out, one = bytearray(32), scalar(1)
    calls: list[Callable[[], object]] = [
        lambda: core.multiply(out, GENERATOR * 2, one),
        lambda: core.multiply(out, GENERATOR, one * 2),
        lambda: core.multiply(bytearray(33), GENERATOR, one),
        lambda: core.unblind(out, GENERATOR, GENERATOR, one * 2),
        lambda: core.unblind(out, b"", GENERATOR, one),
        lambda: core.unblind(out, GENERATOR, GENERATOR * 2, one),
        lambda: core.unblind(bytearray(33), GENERATOR, GENERATOR, one),
        lambda: core.multiply_base(out, one + b"\x00"),
        lambda: core.multiply_base(bytearray(1), one),
        lambda: core.validate(b"\x00" * 33),
        lambda: core.weighted_sum(bytearray(64), GENERATOR, one),
        lambda: core.weighted_sum(out, GENERATOR + b"\x00", one),
        lambda: core.weighted_sum(out, GENERATOR, one * 2),
        lambda: core.decode(bytearray(127), GENERATOR),
        lambda: core.decode(bytearray(256), GENERATOR),
        lambda: core.decode(bytearray(128), GENERATOR + b"\x00"),
        lambda: core.hash_to_group(bytearray(64), b"abc", b"dst"),
        lambda: core.hash_to_group(bytearray(33), b"abc", b"dst"),
        lambda: core.hash_to_group(out, b"abc", b"d" * 256),
        lambda: core.blind(bytearray(64), b"abc", b"dst", one * 2),
        lambda: core.blind(bytearray(33), b"abc", b"dst", one),
        lambda: core.blind(out, b"abc", b"d" * 256, one),
        lambda: core.blind(out, b"abc", b"dst", one * 2),
        lambda: core.multiply_hashed(bytearray(64), b"abc", b"dst", one),
        lambda: core.multiply_hashed(bytearray(33), b"abc", b"dst", one),
        lambda: core.multiply_hashed(out, b"abc", b"d" * 256, one),
        lambda: core.multiply_hashed(out, b"abc", b"dst", one * 2),
        lambda: core.mac(bytearray(65), b"key", b"abc"),
        lambda: core.mac(bytearray(128), b"key", b"abc"),
        lambda: core.mac(bytearray(64), bytes(129), b"abc"),
        lambda: core.reduce_each(out, bytes(63)),
        lambda: core.reduce_each(bytearray(1), bytes(64)),
        lambda: core.respond(out, one, one, b""),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="differ in length"):
            call()


def test_arguments_that_are_no_buffers(core: ModuleType) -> None:
    """Missing arguments, and objects that are no buffers or cannot be written to, are refused."""
    names = [name for name in dir(core) if not name.startswith("_") and name != "missing"]
    assert len(names) == 12
    for name in names:
        for arguments in ((), (None, None, None, None, None), ("text", b"", b"", b"", b"")):
            with pytest.raises(TypeError):
                getattr(core, name)(*arguments)
    with pytest.raises(BufferError):
        core.multiply_base(bytes(32), scalar(1))


def test_decoded_elements_begin_on_a_cache_line(core: ModuleType) -> None:
    room = np.zeros(3 * 64, dtype=np.uint8)
    start = -room.ctypes.data % 64
    assert core.decode(room[start : start + 128], GENERATOR) is None
    with pytest.raises(ValueError, match="cache line"):
        core.decode(room[start + 1 : start + 129], GENERATOR)


def test_empty_buffers(core: ModuleType) -> None:
    for call, operands in ((core.mac, (b"", b"")), (core.reduce_each, (b"",)), (core.multiply_base, (b"",))):
        assert call(bytearray(), *operands) is None
    assert core.unblind(bytearray(), b"", GENERATOR, b"") is None
    assert core.multiply_hashed(bytearray(), b"", b"dst", scalar(1)) is None
    assert core.weighted_sum(bytearray(32), b"", b"") is None
    assert core.blind(bytearray(), b"", b"dst", b"") is None
