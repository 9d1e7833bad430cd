"""The portable backend: libsodium's ristretto255 through ctypes, in a thread pool.

The system's library is taken where it has ristretto255; else the copy inside the PyPI package `rbcl`. That package
writes its shared object to a temporary file when it is imported and leaves it there, so its bytes are read here
without importing it, loaded, and the file is gone at once.

ctypes releases the GIL during each call, so slices of a batch run on several cores. What libsodium accepts beyond
RFC 9496 (bit 255, the identity) is refused before it is called; see `aquila.crypto.group`.
"""

import ctypes
import hmac
import importlib.util
import re
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, TypeVar

from aquila.crypto.group import (
    ELEMENT_BYTES,
    SCALAR_BYTES,
    WIDE_BYTES,
    DecodedElements,
    Elements,
    encoded,
    refused_element,
    require_elements,
    require_equal,
    require_messages,
    require_scalars,
)
from aquila.crypto.hashing import expander
from aquila.errors import InputError

Octets = bytes | bytearray
Column = tuple[Octets, int]
"""A buffer and the bytes from one position to the next; 0 repeats the same value."""

Answer = TypeVar("Answer")

SYSTEM_NAMES = ("libsodium.so.23", "libsodium.so.26", "libsodium.so", "libsodium.dylib")
"""What the dynamic linker is asked for: libsodium 1.0.18 and 1.0.20, then whatever the system calls it."""

SMALLEST_SHARED_BATCH = 64
"""Below this many elements, waking threads costs more than they save."""

_SIGNATURES = {
    # Pointers in each call; every function writes to its first one, except is_valid_point.
    "crypto_core_ristretto255_is_valid_point": 1,
    "crypto_core_ristretto255_from_hash": 2,
    "crypto_core_ristretto255_add": 3,
    "crypto_core_ristretto255_sub": 3,
    "crypto_core_ristretto255_scalar_reduce": 2,
    "crypto_core_ristretto255_scalar_mul": 3,
    "crypto_core_ristretto255_scalar_sub": 3,
    "crypto_scalarmult_ristretto255": 3,
    "crypto_scalarmult_ristretto255_base": 2,
}
_WITHOUT_STATUS = ("scalar_reduce", "scalar_mul", "scalar_sub")


@dataclass(frozen=True, slots=True)
class Library:
    """A loaded and initialized libsodium, and one sentence on where it comes from."""

    handle: Any  # ctypes makes functions of a library on the fly, so it has no static type
    reason: str


def load_library(names: Sequence[str] = SYSTEM_NAMES, open_library: Callable[[str], Any] = ctypes.CDLL) -> Library:
    """Load the first of the system's libraries that has ristretto255, else rbcl's copy.

    Args:
        names: What to ask the dynamic linker for, in this order.
        open_library: How a library is opened; `ctypes.CDLL` in use.

    Raises:
        InputError: there is no usable libsodium at all.
    """
    for name in names:
        try:
            handle = open_library(name)
        except OSError:
            continue
        if all(hasattr(handle, symbol) for symbol in _SIGNATURES):
            return _initialized(handle, f"the system's {name}")
    return load_bundled_library()


def load_bundled_library(package: str = "rbcl") -> Library:
    """Load the libsodium inside the package `rbcl`, leaving no file behind.

    Raises:
        InputError: the package is absent, or holds its library in another way than version 1.1.2 does.
    """
    spec = importlib.util.find_spec(package)  # finds the package's folder without running it
    folders = list(spec.submodule_search_locations or ()) if spec else []
    source = Path(folders[0], "_sodium.py") if folders else None
    if source is None or not source.is_file():
        raise InputError("libsodium_missing", package=package)
    # The module is one assignment of a hexadecimal text, followed by the code that writes it to a file.
    hexadecimal = re.search(r"bytes\.fromhex\('([0-9a-f]+)'\)", source.read_text(encoding="ascii"))
    if hexadecimal is None:
        raise InputError("libsodium_package_unexpected", package=package)
    with tempfile.NamedTemporaryFile(prefix="aquila-", suffix=".so") as shared_object:
        shared_object.write(bytes.fromhex(hexadecimal[1]))
        shared_object.flush()
        # The mapping outlives the file's name, which goes at the end of this block.
        handle = ctypes.CDLL(shared_object.name)
    return _initialized(handle, f"the copy in the package {package}, because the system has none")


def _initialized(handle: Any, origin: str) -> Library:
    """Declare the functions' types, let libsodium choose its code for this processor, and name its version."""
    if handle.sodium_init() < 0:
        raise InputError("libsodium_not_initialized", origin=origin)
    for symbol, pointers in _SIGNATURES.items():
        function = getattr(handle, symbol)
        function.argtypes = [ctypes.c_void_p] * pointers
        function.restype = None if symbol.endswith(_WITHOUT_STATUS) else ctypes.c_int
    handle.sodium_version_string.restype = ctypes.c_char_p
    version = handle.sodium_version_string().decode("ascii")
    return Library(handle, f"libsodium {version}, {origin}")


class SodiumGroup:
    """The `Group` of libsodium.

    It may be used from several threads at once. With one thread it starts none of its own, and also serves a forked
    process; the threads of a larger one do not survive a fork, so that a child process makes a group of its own.

    Args:
        threads: How many slices of a batch run at the same time.
        library: A library that is loaded already; by default `load_library` chooses.

    Raises:
        InputError: `threads` is below 1, or there is no libsodium.
    """

    def __init__(self, threads: int = 1, library: Library | None = None) -> None:
        if threads < 1:
            raise InputError("thread_count_too_small", got=threads)
        chosen = library or load_library()
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="aquila-group")
        self._reason = chosen.reason
        core, multiplication = "crypto_core_ristretto255_", "crypto_scalarmult_ristretto255"
        self._is_valid = getattr(chosen.handle, core + "is_valid_point")
        self._from_hash = getattr(chosen.handle, core + "from_hash")
        self._add = getattr(chosen.handle, core + "add")
        self._subtract = getattr(chosen.handle, core + "sub")
        self._reduce = getattr(chosen.handle, core + "scalar_reduce")
        self._scalar_multiply = getattr(chosen.handle, core + "scalar_mul")
        self._scalar_subtract = getattr(chosen.handle, core + "scalar_sub")
        self._multiply = getattr(chosen.handle, multiplication)
        self._multiply_base = getattr(chosen.handle, multiplication + "_base")

    @property
    def name(self) -> str:
        """`libsodium`."""
        return "libsodium"

    @property
    def reason(self) -> str:
        """Return the name and version of libsodium, and how many threads share a batch."""
        return f"{self._reason}; threads: {self._threads}"

    def hash_to_group(self, messages: bytes, width: int, dst: bytes) -> bytes:
        """Map messages to elements; see `Group.hash_to_group`."""
        count = require_messages(messages, width)
        expand = expander(dst)
        out = bytearray(count * ELEMENT_BYTES)

        def map_slice(span: range) -> None:
            starts = range(span.start * width, span.stop * width, width)
            uniform = b"".join([expand(messages[start : start + width]) for start in starts])
            _run(self._from_hash, _steps(out, ELEMENT_BYTES, span), _steps(uniform, WIDE_BYTES, range(len(span))))

        self._share(count, map_slice)
        return bytes(out)

    def multiply_hashed(self, messages: bytes, width: int, dst: bytes, scalar: bytes | bytearray) -> bytes:
        """Multiply the elements of messages by one secret scalar; see `Group.multiply_hashed`."""
        return self.multiply(self.hash_to_group(messages, width, dst), scalar)

    def blind(self, messages: bytes, width: int, dst: bytes, scalars: bytes | bytearray) -> bytes:
        """Add secret scalar i times the generator to the element of message i; see `Group.blind`."""
        count = require_equal(require_messages(messages, width), require_scalars(scalars))
        operands = self.hash_to_group(messages, width, dst), self.multiply_base(scalars)
        return self._combine(self._add, count, *operands)

    def unblind(self, elements: Elements, public_key: bytes, scalars: bytes | bytearray) -> bytes:
        """Take secret scalar i times a public key away from element i; see `Group.unblind`."""
        count = require_equal(require_elements(elements), require_scalars(scalars))
        require_equal(require_elements(public_key), 1)
        multiples = self._elements(self._multiply, count, (scalars, SCALAR_BYTES), (public_key, 0))
        return self._combine(self._subtract, count, encoded(elements), multiples)

    def decode(self, elements: bytes) -> DecodedElements:
        """Check what can be checked without the curve, which libsodium gives in no other form; see `Group.decode`."""
        require_elements(elements)
        return DecodedElements(elements, b"")

    def multiply(self, elements: Elements, scalar: bytes | bytearray) -> bytes:
        """Multiply n elements by one secret scalar; see `Group.multiply`."""
        require_equal(require_scalars(scalar), 1)
        count = require_elements(elements)
        return self._elements(self._multiply, count, (scalar, 0), (encoded(elements), ELEMENT_BYTES))

    def multiply_base(self, scalars: bytes | bytearray) -> bytes:
        """Multiply the generator by n secret scalars; see `Group.multiply_base`."""
        return self._elements(self._multiply_base, require_scalars(scalars), (scalars, SCALAR_BYTES))

    def weighted_sum(self, elements: Elements, weights: bytes) -> bytes:
        """Sum weight i times element i; see `Group.weighted_sum`."""
        count = require_equal(require_elements(elements), require_scalars(weights))
        if not count:
            raise InputError("weighted_sum_empty")
        products = self._elements(self._multiply, count, (weights, SCALAR_BYTES), (encoded(elements), ELEMENT_BYTES))
        # Partial sums may pass through the identity; only the final one must not be it.
        partial = self._share(count, lambda span: self._sum(products, span))
        total = self._sum(b"".join(partial), range(len(partial)))
        require_elements(total)
        return total

    def mac(self, key: bytes | bytearray, messages: bytes, width: int) -> bytes:
        """Return HMAC-SHA-512 of n messages; see `Group.mac`."""
        starts = range(0, require_messages(messages, width) * width, width)
        return b"".join([hmac.digest(key, messages[start : start + width], "sha512") for start in starts])

    def validate(self, elements: bytes) -> None:
        """Check that every element is accepted; see `Group.validate`."""
        self._check(self._is_valid, require_elements(elements), 1, (elements, ELEMENT_BYTES))

    def reduce_each(self, wide: bytes | bytearray) -> bytes:
        """Reduce n secret integers of 64 bytes; see `Group.reduce_each`."""
        if len(wide) % WIDE_BYTES:
            raise InputError("integers_not_multiple_of_64", got=len(wide))
        span = range(len(wide) // WIDE_BYTES)
        out = bytearray(len(span) * SCALAR_BYTES)
        if span:  # not shared: calls this short spend their time waiting for the GIL
            _run(self._reduce, _steps(out, SCALAR_BYTES, span), _steps(wide, WIDE_BYTES, span))
        return bytes(out)

    def respond(self, nonce: bytes | bytearray, challenge: bytes | bytearray, secret: bytes | bytearray) -> bytes:
        """Return nonce - challenge * secret; see `Group.respond`."""
        for scalar in (nonce, challenge, secret):
            require_equal(require_scalars(scalar), 1)
        out = bytearray(SCALAR_BYTES)
        self._scalar_multiply(_address(out), _address(challenge), _address(secret))
        self._scalar_subtract(_address(out), _address(nonce), _address(out))
        return bytes(out)

    def _elements(self, function: Callable[..., int], count: int, *operands: Column) -> bytes:
        """Return the n elements that a function of libsodium makes of its operands."""
        out = bytearray(count * ELEMENT_BYTES)
        self._check(function, count, 0, (out, ELEMENT_BYTES), *operands)
        return bytes(out)

    def _combine(self, function: Callable[..., int], count: int, left: bytes, right: bytes) -> bytes:
        """Return the n sums or differences of two batches, none of which may be the identity."""
        combined = self._elements(function, count, (left, ELEMENT_BYTES), (right, ELEMENT_BYTES))
        require_elements(combined)
        return combined

    def _check(self, function: Callable[..., int], count: int, good: int, *columns: Column) -> None:
        """Call a function for each position and refuse the first one whose status is not the good one.

        The scalar and the identity were checked before: what libsodium still refuses is an encoding.
        """

        def refused_in(span: range) -> int | None:
            # The buffers live in this closure, so that their memory stays valid as long as a thread uses it.
            statuses = map(function, *[_steps(octets, step, span) for octets, step in columns])
            return next((index for index, status in zip(span, statuses, strict=True) if status != good), None)

        refused = next((index for index in self._share(count, refused_in) if index is not None), None)
        if refused is not None:
            raise refused_element(refused)

    def _share(self, count: int, task: Callable[[range], Answer]) -> list[Answer]:
        """Give slices of the positions to the threads and return their answers in order."""
        if count == 0:
            return []
        if self._threads == 1 or count < SMALLEST_SHARED_BATCH:
            return [task(range(count))]
        cuts = [count * part // self._threads for part in range(self._threads + 1)]
        return list(self._pool.map(task, map(range, cuts[:-1], cuts[1:])))

    def _sum(self, elements: bytes, span: range) -> bytes:
        """Return the sum of some elements that are known to be valid; the identity may be among them."""
        total = bytearray(elements[span.start * ELEMENT_BYTES : (span.start + 1) * ELEMENT_BYTES])
        rest = span[1:]
        address = _address(total)
        _run(self._add, repeat(address, len(rest)), repeat(address), _steps(elements, ELEMENT_BYTES, rest))
        return bytes(total)


def _address(octets: Octets) -> int:
    """Return where the bytes lie in memory. Valid as long as the caller holds them and does not resize them."""
    if isinstance(octets, bytearray):
        return ctypes.addressof(ctypes.c_char.from_buffer(octets))
    return ctypes.cast(ctypes.c_char_p(octets), ctypes.c_void_p).value or 0


def _steps(octets: Octets, step: int, span: range) -> Iterable[int]:
    """Return the address of each position of a slice; no Python object per element but its number."""
    address = _address(octets)
    return range(address + span.start * step, address + span.stop * step, step) if step else repeat(address)


def _run(function: Callable[..., int], *columns: Iterable[int]) -> None:
    """Call a function that cannot fail for each row of addresses, keeping no answers."""
    deque(map(function, *columns), maxlen=0)
