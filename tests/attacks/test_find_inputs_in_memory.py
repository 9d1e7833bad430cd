"""Who gets a copy of a node's memory after the work, such as a core dump, wants digests to test guesses against.

A process of its own hashes inputs in a native core and is read from outside while it waits. What is searched for,
the process itself never had but in the core's own buffers: the expanded digest of an input, the inner one of its HMAC,
and inputs in the frames in which they are hashed.
"""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from aquila.crypto.native.batch import NATIVE_BACKENDS, NativeBackend, load_core
from aquila.errors import InputError

WIDTH = 64
COUNT = 40
DST = b"a tag of this test"
BLOCK = 128
WORK = """
import sys
from aquila.crypto.native.batch import load_core
core, count, width, dst = load_core(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), bytes.fromhex(sys.argv[4])
inputs, ones = bytearray(sys.stdin.buffer.read(count * width)), bytearray(([1] + [0] * 31) * count)
out, blinded, outputs = bytearray(32 * count), bytearray(32 * count), bytearray(64 * count)
core.hash_to_group(out, inputs, dst)
core.blind(blinded, inputs, dst, ones)
core.mac(outputs, b"a key", inputs)
print("done", flush=True)
sys.stdin.buffer.read()
"""


def expanded(message: bytes) -> bytes:
    """Return expand_message_xmd of RFC 9380 section 5.3.1 to one block of SHA-512."""
    suffix = DST + bytes([len(DST)])
    first = hashlib.sha512(bytes(BLOCK) + message + bytes([0, 64, 0]) + suffix).digest()
    return hashlib.sha512(first + bytes([1]) + suffix).digest()


@contextmanager
def memory_after_work(backend: NativeBackend, inputs: bytes) -> Iterator[list[bytes]]:
    """Yield what the process can write to, region by region, when it has worked and waits."""
    command = [sys.executable, "-c", WORK, backend, str(COUNT), str(WIDTH), DST.hex()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(inputs)
        process.stdin.flush()
        assert process.stdout.readline() == b"done\n"
        with open(f"/proc/{process.pid}/maps") as maps, open(f"/proc/{process.pid}/mem", "rb") as memory:
            regions = [line.split() for line in maps]
            found = []
            for places, rights, *_ in regions:
                if rights.startswith("rw"):
                    start, end = (int(place, 16) for place in places.split("-"))
                    memory.seek(start)
                    found.append(memory.read(end - start))
        yield found
        process.stdin.close()


@pytest.mark.parametrize("backend", NATIVE_BACKENDS)
def test_no_digest_is_left_in_memory(backend: NativeBackend) -> None:
    """Neither in freed memory nor on the stack; the inputs themselves are there, where Python has them."""
    try:
        load_core(backend)
    except InputError as absent:
        pytest.skip(str(absent))
    inputs = [hashlib.sha512(b"input %d" % number).digest() for number in range(COUNT)]
    with memory_after_work(backend, b"".join(inputs)) as regions:
        assert any(inputs[0] in region for region in regions)
        for one in inputs:
            inner = hashlib.sha512(bytes(octet ^ 0x36 for octet in b"a key".ljust(BLOCK, b"\0")) + one).digest()
            for left in (expanded(one), one + bytes([0, 64, 0]) + DST, one + b"\x80\0", inner):
                assert not any(left in region for region in regions)
