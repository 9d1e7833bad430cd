"""The `Group` of a C module: checks that need no curve arithmetic, and slices of a batch on several cores.

The C code releases the GIL for a whole slice. What it is given it takes as checked: lengths, scalars, and that no
element is the identity; those checks are `aquila.crypto.group`'s, in the order in which `SodiumGroup` makes them, so
that all backends name the same position.
"""

import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Literal, TypeVar

import numpy as np

from aquila.crypto.group import (
    ELEMENT_BYTES,
    MAC_BYTES,
    SCALAR_BYTES,
    WIDE_BYTES,
    DecodedElements,
    Elements,
    refused_element,
    require_elements,
    require_equal,
    require_messages,
    require_scalars,
)
from aquila.crypto.hashing import expander
from aquila.errors import InputError

Octets = bytes | bytearray | memoryview
Column = tuple[Octets, int]
"""A buffer and the bytes of one position; 0 gives the whole buffer to every slice."""

Answer = TypeVar("Answer")

NativeBackend = Literal["ifma", "avx2", "portable"]

NATIVE_BACKENDS: dict[NativeBackend, str] = {
    "ifma": "the C extension with AVX-512 IFMA, eight elements at a time",
    "avx2": "the C extension with AVX2, four elements at a time",
    "portable": "the portable C extension, one element at a time",
}
"""The builds of the C module, the fastest first, and what each does."""

DECODED_BYTES = 128
"""Bytes of a decoded element: three coordinates of five limbs, on two cache lines."""

_CACHE_LINE = 64

GRAIN = 256
"""Elements that share an inversion in C. Slices are multiples of it, and no smaller batch is shared."""


def load_core(backend: NativeBackend) -> ModuleType:
    """Import the C module of a backend, if it was built and this processor can run it.

    Raises:
        InputError: it was not built, or the processor lacks instructions; the message says which.
    """
    try:
        core = importlib.import_module(f"aquila.crypto.native._{backend}")
    except ImportError:
        raise InputError("c_extension_not_built", backend=backend) from None
    missing = core.missing()
    if missing:
        raise InputError("processor_feature_missing", listed=", ".join(missing))
    return core


class NativeGroup:
    """The `Group` of a C module.

    It may be used from several threads at once. With one thread it starts none of its own, and also serves a forked
    process; the threads of a larger one do not survive a fork, so that a child process makes a group of its own.

    Args:
        backend: Which build of it.
        threads: How many slices of a batch run at the same time.
        core: The C module; by default `load_core` brings it.
        choice: Why it was chosen, as the end of a sentence.

    Raises:
        InputError: `threads` is below 1, or the C module cannot be used on this machine.
    """

    def __init__(
        self, backend: NativeBackend, threads: int = 1, core: ModuleType | None = None, choice: str = ""
    ) -> None:
        if threads < 1:
            raise InputError("thread_count_too_small", got=threads)
        self._backend = backend
        self._core = core or load_core(backend)
        self._choice = choice
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="aquila-native")

    @property
    def name(self) -> str:
        """`ifma`, `avx2` or `portable`."""
        return self._backend

    @property
    def reason(self) -> str:
        """Return which instructions do the work, and how many threads share a batch."""
        return f"{NATIVE_BACKENDS[self._backend]}{self._choice}; threads: {self._threads}"

    def hash_to_group(self, messages: bytes, width: int, dst: bytes) -> bytes:
        """Map messages to elements; see `Group.hash_to_group`."""
        count = require_messages(messages, width)
        expander(dst)  # refuses a tag that is empty or too long
        return self._elements(self._core.hash_to_group, count, (messages, width), (dst, 0))

    def multiply_hashed(self, messages: bytes, width: int, dst: bytes, scalar: bytes | bytearray) -> bytes:
        """Multiply the elements of messages by one secret scalar; see `Group.multiply_hashed`."""
        require_equal(require_scalars(scalar), 1)
        count = require_messages(messages, width)
        expander(dst)
        columns = (messages, width), (dst, 0), (scalar, 0)
        # No message is known whose element is the identity.
        return _not_identities(self._elements(self._core.multiply_hashed, count, *columns))

    def blind(self, messages: bytes, width: int, dst: bytes, scalars: bytes | bytearray) -> bytes:
        """Add secret scalar i times the generator to the element of message i; see `Group.blind`."""
        count = require_equal(require_messages(messages, width), require_scalars(scalars))
        expander(dst)
        columns = (messages, width), (dst, 0), (scalars, SCALAR_BYTES)
        return _not_identities(self._elements(self._core.blind, count, *columns))

    def unblind(self, elements: Elements, public_key: bytes, scalars: bytes | bytearray) -> bytes:
        """Take secret scalar i times a public key away from element i; see `Group.unblind`."""
        count = require_equal(require_elements(elements), require_scalars(scalars))
        require_equal(require_elements(public_key), 1)
        self.validate(public_key)
        columns = _column(elements), (public_key, 0), (scalars, SCALAR_BYTES)
        return _not_identities(self._elements(self._core.unblind, count, *columns))

    def decode(self, elements: bytes) -> DecodedElements:
        """Decode n elements; see `Group.decode`."""
        count = require_elements(elements)
        points = _aligned(count * DECODED_BYTES)
        columns = (points, DECODED_BYTES), (elements, ELEMENT_BYTES)
        _refuse_first(self._share(count, lambda span: _at(span, self._core.decode(*(_view(c, span) for c in columns)))))
        return DecodedElements(elements, points)

    def multiply(self, elements: Elements, scalar: bytes | bytearray) -> bytes:
        """Multiply n elements by one secret scalar; see `Group.multiply`."""
        require_equal(require_scalars(scalar), 1)
        count = require_elements(elements)
        return self._elements(self._core.multiply, count, _column(elements), (scalar, 0))

    def multiply_base(self, scalars: bytes | bytearray) -> bytes:
        """Multiply the generator by n secret scalars; see `Group.multiply_base`."""
        return self._elements(self._core.multiply_base, require_scalars(scalars), (scalars, SCALAR_BYTES))

    def weighted_sum(self, elements: Elements, weights: bytes) -> bytes:
        """Sum weight i times element i; see `Group.weighted_sum`."""
        count = require_equal(require_elements(elements), require_scalars(weights))
        if not count:
            raise InputError("weighted_sum_empty")

        def partial(span: range) -> tuple[int | None, bytes]:
            out = bytearray(ELEMENT_BYTES)
            views = (_view(column, span) for column in (_column(elements), (weights, SCALAR_BYTES)))
            return _at(span, self._core.weighted_sum(out, *views)), bytes(out)

        answers = self._share(count, partial)
        _refuse_first([index for index, _ in answers])
        total = bytearray(ELEMENT_BYTES)
        # Partial sums may be the identity, which C accepts; only the final one must not be it.
        ones = (1).to_bytes(SCALAR_BYTES, "little") * len(answers)
        self._core.weighted_sum(total, b"".join(element for _, element in answers), ones)
        answer = bytes(total)
        require_elements(answer)
        return answer

    def validate(self, elements: bytes) -> None:
        """Check that every element is accepted; see `Group.validate`."""
        count = require_elements(elements)
        view = (elements, ELEMENT_BYTES)
        _refuse_first(self._share(count, lambda span: _at(span, self._core.validate(_view(view, span)))))

    def reduce_each(self, wide: bytes | bytearray) -> bytes:
        """Reduce n secret integers of 64 bytes; see `Group.reduce_each`."""
        if len(wide) % WIDE_BYTES:
            raise InputError("integers_not_multiple_of_64", got=len(wide))
        return self._run(self._core.reduce_each, len(wide) // WIDE_BYTES, SCALAR_BYTES, (wide, WIDE_BYTES))

    def respond(self, nonce: bytes | bytearray, challenge: bytes | bytearray, secret: bytes | bytearray) -> bytes:
        """Return nonce - challenge * secret; see `Group.respond`."""
        for scalar in (nonce, challenge, secret):
            require_equal(require_scalars(scalar), 1)
        return self._run(self._core.respond, 1, SCALAR_BYTES, (nonce, 0), (challenge, 0), (secret, 0))

    def mac(self, key: bytes | bytearray, messages: bytes, width: int) -> bytes:
        """Return HMAC-SHA-512 of n messages; see `Group.mac`."""
        return self._run(self._core.mac, require_messages(messages, width), MAC_BYTES, (key, 0), (messages, width))

    def _elements(self, function: Callable[..., int | None], count: int, *operands: Column) -> bytes:
        """Return the n elements that a function of the C module makes of its operands."""
        return self._run(function, count, ELEMENT_BYTES, *operands)

    def _run(self, function: Callable[..., int | None], count: int, width: int, *operands: Column) -> bytes:
        """Call a function on slices of its operands; return n values of `width` bytes, or refuse an element."""
        out = bytearray(count * width)
        columns = ((out, width), *operands)

        def run_slice(span: range) -> int | None:
            return _at(span, function(*(_view(column, span) for column in columns)))

        _refuse_first(self._share(count, run_slice))
        return bytes(out)

    def _share(self, count: int, task: Callable[[range], Answer]) -> list[Answer]:
        """Give slices of the positions to the threads and return their answers in order."""
        grains = -(-count // GRAIN)
        parts = min(self._threads, grains)
        if parts == 0:
            return []
        if parts == 1:
            return [task(range(count))]
        cuts = [min(grains * part // parts * GRAIN, count) for part in range(parts + 1)]
        return list(self._pool.map(task, map(range, cuts[:-1], cuts[1:])))


def _not_identities(elements: bytes) -> bytes:
    """Return elements after the check that none is the identity."""
    require_elements(elements)
    return elements


def _column(elements: Elements) -> Column:
    """Return elements as the C module takes them, which knows by their length whether they are decoded."""
    return (elements.points, DECODED_BYTES) if isinstance(elements, DecodedElements) else (elements, ELEMENT_BYTES)


def _aligned(size: int) -> memoryview:
    """Return a buffer of a given size that begins on a cache line."""
    room = np.empty(size + _CACHE_LINE, dtype=np.uint8)
    start = -room.ctypes.data % _CACHE_LINE
    return room[start : start + size].data


def _view(column: Column, span: range) -> memoryview:
    """Return the bytes of some positions without copying them."""
    octets, width = column
    view = memoryview(octets)
    return view[span.start * width : span.stop * width] if width else view


def _at(span: range, refused: int | None) -> int | None:
    """Return a position of a slice as a position of the batch."""
    return None if refused is None else span[refused]


def _refuse_first(refused: list[int | None]) -> None:
    """Raise the error for the first refused position, if there is one."""
    first = next((index for index in refused if index is not None), None)
    if first is not None:
        raise refused_element(first)
