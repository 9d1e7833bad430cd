"""Sealed streams: what opens, and what was changed or cut does not."""

import io
from random import Random

import pytest

from aquila.crypto.keys import SealingKey
from aquila.crypto.sealing import CHUNK_BYTES, MAGIC, OpeningReader, SealingWriter, recipient_name
from aquila.errors import MalformedError, SealError

RANDOM = Random(11)
KEY = SealingKey.generate(RANDOM.randbytes)
HEADER = len(MAGIC) + 32 + 1120 + 32 + 16
SEALED_CHUNK = CHUNK_BYTES + 16


def sealed(content: bytes, piece: int = 10_000) -> bytes:
    into = io.BytesIO()
    with SealingWriter(into, KEY.public, b"test", RANDOM.randbytes) as writer:
        for start in range(0, len(content), piece):
            writer.write(content[start : start + piece])
    return into.getvalue()


def opened(stream: bytes, key: SealingKey = KEY, context: bytes = b"test") -> bytes:
    return OpeningReader(io.BytesIO(stream), key, context).read()


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 5])
def test_what_was_sealed_opens(size: int) -> None:
    """Content of any length comes back, also in small reads, and costs a header and 16 bytes for each chunk."""
    content = RANDOM.randbytes(size)
    stream = sealed(content)
    assert opened(stream) == content
    chunks = max(1, -(-size // CHUNK_BYTES))
    assert len(stream) == HEADER + size + 16 * chunks
    reader = OpeningReader(io.BytesIO(stream), KEY, b"test")
    assert reader.readable()
    assert b"".join(iter(lambda: reader.read(1_000), b"")) == content


def test_a_cut_stream_does_not_open() -> None:
    """A stream that ends early is refused wherever it was cut, at the border of a chunk too."""
    stream = sealed(RANDOM.randbytes(2 * CHUNK_BYTES + 5))
    for end in (
        0,
        5,
        HEADER - 1,
        HEADER,
        HEADER + 3,
        HEADER + SEALED_CHUNK,
        HEADER + 2 * SEALED_CHUNK,
        len(stream) - 1,
    ):
        with pytest.raises(SealError):
            opened(stream[:end])


def test_a_changed_stream_does_not_open() -> None:
    """Changed bytes, moved or repeated chunks, and bytes after the end are refused."""
    stream = sealed(RANDOM.randbytes(2 * CHUNK_BYTES + 5))
    head, first = stream[:HEADER], stream[HEADER : HEADER + SEALED_CHUNK]
    second = stream[HEADER + SEALED_CHUNK : HEADER + 2 * SEALED_CHUNK]
    last = stream[HEADER + 2 * SEALED_CHUNK :]
    for changed in (
        head + second + first + last,
        head + first + first + second + last,
        head + first + last,
        stream + b"x",
        stream + last,
        stream[:-1] + bytes([stream[-1] ^ 1]),
        stream[: HEADER + 9] + bytes([stream[HEADER + 9] ^ 1]) + stream[HEADER + 10 :],
        stream[: HEADER - 1] + bytes([stream[HEADER - 1] ^ 1]) + stream[HEADER:],
        b"x" + stream[1:],
        sealed(b"another")[:HEADER] + stream[HEADER:],
    ):
        with pytest.raises(SealError):
            opened(changed)


def test_another_key_or_context() -> None:
    other = SealingKey.generate(RANDOM.randbytes)
    with pytest.raises(SealError) as refused:
        opened(sealed(b"words"), other)
    assert refused.value.fields == {"expected": recipient_name(KEY.public), "got": recipient_name(other.public)}
    with pytest.raises(SealError, match="does not open"):
        opened(sealed(b"words"), context=b"other")


def test_an_abandoned_stream_does_not_open() -> None:
    into = io.BytesIO()
    writer = SealingWriter(into, KEY.public, b"test")
    assert writer.writable()
    writer.write(bytes(CHUNK_BYTES + 1))
    writer.abandon()
    writer.close()
    with pytest.raises(SealError, match="its end is missing"):
        opened(into.getvalue())


def test_no_recipient() -> None:
    with pytest.raises(MalformedError):
        SealingWriter(io.BytesIO(), b"short", b"test")
