"""The group ristretto255 (RFC 9496) as batch calls over contiguous bytes.

A batch of n elements is n * 32 bytes, a batch of n scalars n * 32 bytes, little endian; position i of the result
belongs to position i of the operands, and an empty batch gives `b""`. This module says what a backend offers and
holds the checks that need no curve arithmetic. The C code takes what it is given as checked: lengths, scalars, and
that no element is the identity. It releases the GIL for a whole slice of a batch.

Two rules hold in every operation, so that no caller has to remember them. An element is refused if its encoding is
not canonical, has bit 255 set or is the identity; a scalar is refused if it is zero or not below ORDER. A product of
an accepted element and an accepted scalar is therefore never the identity, because the order is prime.
"""

import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import ModuleType
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from aquila.errors import InputError, MalformedError

ELEMENT_BYTES = 32
"""Bytes of an encoded element (RFC 9496 section 4.3.2)."""

SCALAR_BYTES = 32
"""Bytes of a scalar, little endian (RFC 9496 section 4.4)."""

WIDE_BYTES = 64
"""Bytes that are reduced to one scalar, or mapped to one element, without a measurable bias."""

ORDER = 2**252 + 27742317777372353535851937790883648493
"""The prime order of the group (RFC 9496 section 4)."""

GENERATOR = bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")
"""The encoding of the generator (RFC 9496 appendix A.1, multiple 1)."""

MAC_BYTES = 64
"""Bytes of HMAC-SHA-512."""

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

_LONGEST_TAG = 255
_ORDER_WORDS = [ORDER >> shift & 0xFFFF_FFFF_FFFF_FFFF for shift in (0, 64, 128, 192)]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DecodedElements:
    """Elements that `Group.decode` decoded, for operations of the same backend in the same process; never sent."""

    encoded: bytes
    """n elements."""
    points: memoryview
    """The same as this backend computes with them."""


Elements: TypeAlias = "bytes | DecodedElements"
"""n elements, encoded or decoded."""


def encoded(elements: Elements) -> bytes:
    """Return elements as they are sent."""
    return elements.encoded if isinstance(elements, DecodedElements) else elements


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


class Group:
    """The operations of a backend. It is deterministic, and may be called from several threads at once.

    With one thread it starts none of its own, and also serves a forked process; the threads of a larger one do not
    survive a fork, so that a child process makes a group of its own. Secret scalars may come as a bytearray, which the
    caller can overwrite afterwards.

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
        """Map messages of `width` bytes each to elements.

        RFC 9380 expand_message_xmd with SHA-512 to 64 bytes, then the one-way map of RFC 9496 section 4.3.4.

        Raises:
            InputError: `messages` is not a whole number of messages of at least one byte.
        """
        count = require_messages(messages, width)
        require_tag(dst)
        return self._elements(self._core.hash_to_group, count, (messages, width), (dst, 0))

    def blind(self, messages: bytes, width: int, dst: bytes, scalars: bytes | bytearray) -> bytes:
        """Multiply the element of message i by secret scalar i: `hash_to_group` and `multiply_each` in one pass.

        Raises:
            InputError: `messages` is not a whole number of messages of at least one byte, or the batches differ.
            MalformedError: a scalar is refused (field `index`).
        """
        count = require_equal(require_messages(messages, width), require_scalars(scalars))
        require_tag(dst)
        columns = (messages, width), (dst, 0), (scalars, SCALAR_BYTES)
        blinded = self._elements(self._core.blind, count, *columns)
        require_elements(blinded)  # no message is known whose element is the identity
        return blinded

    def decode(self, elements: bytes) -> DecodedElements:
        """Decode n elements for several operations, each of which would decode them by itself.

        Raises:
            MalformedError: an element is refused (field `index`).
        """
        count = require_elements(elements)
        points = _aligned(count * DECODED_BYTES)
        columns = (points, DECODED_BYTES), (elements, ELEMENT_BYTES)
        _refuse_first(self._share(count, lambda span: _at(span, self._core.decode(*(_view(c, span) for c in columns)))))
        return DecodedElements(elements, points)

    def multiply(self, elements: Elements, scalar: bytes | bytearray) -> bytes:
        """Multiply n elements by one secret scalar, in constant time per element.

        Raises:
            MalformedError: an element (field `index`) or the scalar is refused.
        """
        require_equal(require_scalars(scalar), 1)
        count = require_elements(elements)
        return self._elements(self._core.multiply, count, _column(elements), (scalar, 0))

    def multiply_each(self, elements: Elements, scalars: bytes | bytearray) -> bytes:
        """Multiply element i by secret scalar i, in constant time per element.

        Raises:
            MalformedError: an element or a scalar is refused (field `index`).
            InputError: the batches differ in length.
        """
        count = require_equal(require_elements(elements), require_scalars(scalars))
        return self._elements(self._core.multiply_each, count, _column(elements), (scalars, SCALAR_BYTES))

    def multiply_base(self, scalars: bytes | bytearray) -> bytes:
        """Multiply the generator by each of n secret scalars, in constant time per scalar.

        Raises:
            MalformedError: a scalar is refused (field `index`).
        """
        return self._elements(self._core.multiply_base, require_scalars(scalars), (scalars, SCALAR_BYTES))

    def weighted_sum(self, elements: Elements, weights: bytes) -> bytes:
        """Return the one element that is the sum of weight i times element i. Weights are public.

        Raises:
            MalformedError: an element or a weight is refused (field `index`), or the sum is the identity.
            InputError: the batches differ in length, or are empty.
        """
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
        """Check that every element is accepted, without computing with it.

        Raises:
            MalformedError: an element is refused (field `index`).
        """
        count = require_elements(elements)
        view = (elements, ELEMENT_BYTES)
        _refuse_first(self._share(count, lambda span: _at(span, self._core.validate(_view(view, span)))))

    def invert_each(self, scalars: bytes | bytearray) -> bytes:
        """Return the inverse of each of n secret scalars modulo ORDER.

        Raises:
            MalformedError: a scalar is refused (field `index`).
        """
        return self._run(self._core.invert_each, require_scalars(scalars), SCALAR_BYTES, (scalars, SCALAR_BYTES))

    def reduce_each(self, wide: bytes | bytearray) -> bytes:
        """Reduce n secret integers of 64 bytes, little endian, modulo ORDER. A result can be zero.

        Raises:
            InputError: `wide` is not a whole number of 64-byte integers.
        """
        if len(wide) % WIDE_BYTES:
            raise InputError("integers_not_multiple_of_64", got=len(wide))
        return self._run(self._core.reduce_each, len(wide) // WIDE_BYTES, SCALAR_BYTES, (wide, WIDE_BYTES))

    def respond(self, nonce: bytes | bytearray, challenge: bytes | bytearray, secret: bytes | bytearray) -> bytes:
        """Return nonce - challenge * secret modulo ORDER, the response of a Schnorr proof, in constant time.

        Raises:
            MalformedError: a scalar is refused.
        """
        for scalar in (nonce, challenge, secret):
            require_equal(require_scalars(scalar), 1)
        return self._run(self._core.respond, 1, SCALAR_BYTES, (nonce, 0), (challenge, 0), (secret, 0))

    def mac(self, key: bytes | bytearray, messages: bytes, width: int) -> bytes:
        """Return HMAC-SHA-512 (RFC 2104) of n messages of `width` bytes, 64 bytes each, under one key of at most 128.

        Raises:
            InputError: `messages` is not a whole number of messages of at least one byte.
        """
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


def refused_element(index: int) -> MalformedError:
    """Return the error for an element that no operation accepts; `index` is its position in the batch."""
    return MalformedError("element_not_ristretto255", index=index)


def require_elements(elements: Elements) -> int:
    """Return how many elements there are, after the checks that need no curve arithmetic.

    What is decoded was checked then.

    RFC 9496 section 4.3.1 refuses bit 255, and RFC 9497 section 2.1 (DeserializeElement) the identity.

    Raises:
        MalformedError: the length is no multiple of 32, bit 255 is set, or an element is the identity.
    """
    if isinstance(elements, DecodedElements):
        return len(elements.encoded) // ELEMENT_BYTES
    count = _whole(elements, ELEMENT_BYTES, "elements")
    words = np.frombuffer(elements, dtype="<u8").reshape(count, 4)
    refused = (words[:, 3] >> np.uint64(63) != 0) | _are_zero(words)
    if refused.any():
        raise refused_element(int(refused.argmax()))
    return count


def require_scalars(scalars: bytes | bytearray) -> int:
    """Return how many scalars there are, after the check that each is canonical and not zero.

    Raises:
        MalformedError: the length is no multiple of 32, or a scalar is zero or not below ORDER.
    """
    count = _whole(scalars, SCALAR_BYTES, "scalars")
    words = np.frombuffer(scalars, dtype="<u8").reshape(count, 4)
    below = words[:, 3] < _ORDER_WORDS[3]
    if not below.all():
        # From the least significant word on: a number is below if its highest differing word is.
        below = np.zeros(count, dtype=bool)
        for position, bound in enumerate(_ORDER_WORDS):
            word = words[:, position]
            below = (word < bound) | ((word == bound) & below)
    refused = ~below | _are_zero(words)
    if refused.any():
        index = int(refused.argmax())
        raise MalformedError("scalar_out_of_range", index=index)
    return count


def _are_zero(words: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return which of n values of four words are zero; a seventh of the time of `any` over a short axis."""
    zero: NDArray[np.bool_] = (words[:, 0] | words[:, 1] | words[:, 2] | words[:, 3]) == 0
    return zero


def require_messages(messages: bytes, width: int) -> int:
    """Return how many messages of `width` bytes there are.

    Raises:
        InputError: it is not a whole number of messages of at least one byte.
    """
    if width < 1 or len(messages) % width:
        raise InputError("messages_not_whole", width=width, got=len(messages))
    return len(messages) // width


def require_equal(left: int, right: int) -> int:
    """Return the common number of positions of two batches; raises InputError if the batches differ in length."""
    if left != right:
        raise InputError("batch_lengths_differ", left=left, right=right)
    return left


def _whole(octets: bytes | bytearray, width: int, what: str) -> int:
    """Return how many values of `width` bytes there are."""
    count, rest = divmod(len(octets), width)
    if rest:
        raise MalformedError("batch_length_no_multiple", got=len(octets), what=what, width=width)
    return count


def require_tag(dst: bytes) -> None:
    """Refuse a domain separation tag that is empty or too long (RFC 9380 section 5.3.1).

    Raises:
        InputError: It has not 1 to 255 bytes.
    """
    if not 1 <= len(dst) <= _LONGEST_TAG:
        raise InputError("domain_separation_tag_length_wrong", got=len(dst))


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
