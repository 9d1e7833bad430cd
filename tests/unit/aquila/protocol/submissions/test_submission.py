"""The origin's side: places, blinds, chunks, tokens; all from one seed."""

import hashlib
from random import Random

import numpy as np
import pytest

from aquila.crypto import oprf
from aquila.crypto.group import ORDER, Group
from aquila.crypto.hashing import derive
from aquila.crypto.keys import SecretBytes
from aquila.crypto.shares import Share, new_share
from aquila.errors import MalformedError
from aquila.protocol.encoding import framed
from aquila.protocol.messages import Padding
from aquila.protocol.submissions import submission as s
from aquila.protocol.submissions.padding import BatchInputs, NumberedInputs, number_inputs
from aquila.records.inputs import Input
from aquila.records.rules import InputClass
from aquila.simulation import NO_PADDING
from tests.support.plain_inputs import plain_digests
from tests.support.staged_round import BOTH_CLASSES

BINDING = bytes(range(32))
SIZES = Padding(inputs_per_record=(2, 4), records_multiple=10)


@pytest.fixture
def seed() -> SecretBytes:
    return SecretBytes(b"\x07" * 32)


def places(count: int, seed: SecretBytes, padding: Padding = NO_PADDING) -> NumberedInputs:
    inputs = [Input(rule, b"%d %d" % (rule, position)) for position in range(count) for rule in (1, 2)]
    batch = BatchInputs(
        first=0,
        counts=np.full(count, 2),
        rules=np.array([item.rule for item in inputs], dtype=np.uint8),
        digests=plain_digests(BINDING, BOTH_CLASSES, inputs),
    )
    return number_inputs(seed, BOTH_CLASSES, padding, batch, count)


def one_place(rule: int) -> NumberedInputs:
    digests = plain_digests(BINDING, BOTH_CLASSES, [Input(rule, b"value")])
    return NumberedInputs(np.array([0], dtype=np.uint64), np.array([rule], dtype=np.uint8), digests)


def test_everything_derives_from_the_seed(group: Group, seed: SecretBytes) -> None:
    """The same seed gives the same rows, another seed not one equal element, handle or blind."""
    other = SecretBytes(b"\x08" * 32)
    runs = [s.prepare_run(group, BOTH_CLASSES, key, places(6, key, SIZES)) for key in (seed, seed, other)]
    for kind in InputClass:
        assert runs[0][kind].tobytes() == runs[1][kind].tobytes()
        assert not set(runs[0][kind]["element"].tolist()) & set(runs[2][kind]["element"].tolist())
    assert s.handles_of(seed, [3]) == s.handles_of(seed, [3]) != s.handles_of(seed, [4])
    assert s.handles_of(seed, [3]) != s.handles_of(other, [3])
    assert len(s.handles_of(seed, [3])) == s.HANDLE_BYTES


def test_blinds_and_handles_are_as_the_protocol_writes_them(group: Group, seed: SecretBytes) -> None:
    """A blind is four blocks of the stream of its label modulo the order, a handle is one block (3.4.5)."""
    stream = {
        label: derive(seed, framed(label), [1281], width)
        for label, width in (("aquila/1 blind", 64), ("aquila/1 handle", 16))
    }
    expected = int.from_bytes(stream["aquila/1 blind"], "little") % ORDER
    assert s.blinds_of(group, seed, [1281]) == expected.to_bytes(32, "little")
    assert s.handles_of(seed, [1281]) == stream["aquila/1 handle"]


def test_many_are_their_members(group: Group, seed: SecretBytes) -> None:
    numbers = [2**63, 0, 255, 256, 7]
    assert s.blinds_of(group, seed, numbers) == b"".join(s.blinds_of(group, seed, [number]) for number in numbers)
    assert s.handles_of(seed, numbers) == b"".join(s.handles_of(seed, [number]) for number in numbers)


def test_a_row_of_an_input(group: Group, seed: SecretBytes) -> None:
    rows = s.prepare_run(group, BOTH_CLASSES, seed, one_place(2))[InputClass.PARTIAL]
    expected = hashlib.sha256(framed("aquila/1 input", BINDING, b"partial", b"\x02") + b"value").digest()
    assert rows["digest"].tobytes() == expected
    assert rows["element"].tobytes() == oprf.blind(group, expected, 32, s.blinds_of(group, seed, [0]))


def test_a_run_is_sorted_by_its_elements(group: Group, seed: SecretBytes) -> None:
    run = s.prepare_run(group, BOTH_CLASSES, seed, places(20, seed))
    for kind, rule in ((InputClass.FULL, 1), (InputClass.PARTIAL, 2)):
        elements = elements_of(run[kind])
        assert elements == sorted(elements)
        assert set(run[kind]["rule"].tolist()) == {rule}
        assert sorted(int(number) % 256 for number in run[kind]["number"]) == [rule - 1] * 20


def test_a_class_without_inputs(group: Group, seed: SecretBytes) -> None:
    run = s.prepare_run(group, BOTH_CLASSES, seed, one_place(1))
    assert (len(run[InputClass.FULL]), len(run[InputClass.PARTIAL])) == (1, 0)
    assert list(s.merge_runs([run[InputClass.PARTIAL]], 4)) == []


def elements_of(rows: np.ndarray) -> list[bytes]:
    octets = rows["element"].tobytes()
    return [octets[start : start + 32] for start in range(0, len(octets), 32)]


def random_rows(count: int, number: int) -> np.ndarray:
    """Return sorted rows with random elements; some begin or end with zero or 255."""
    random = np.random.default_rng(number)
    octets = random.integers(0, 256, (count, 32), dtype=np.uint8)
    octets[:: max(1, count // 3), 0] = 0
    octets[1 :: max(1, count // 3), 0] = 255
    octets[:: max(1, count // 5), -2:] = 0
    rows = np.zeros(count, dtype=s.ROW)
    rows["element"] = np.frombuffer(octets.tobytes(), dtype="S32")
    rows["number"] = np.arange(count)
    return rows[np.argsort(rows["element"], kind="stable")]


def test_elements_that_begin_alike() -> None:
    """Where the first eight bytes agree, the following ones decide."""
    rows = random_rows(40, 3)
    octets = rows["element"].tobytes()
    alike = b"".join(bytes(8) + octets[32 * place + 8 : 32 * place + 32] for place in range(40))
    rows["element"] = np.frombuffer(alike, dtype="S32")
    (merged,) = s.merge_runs([rows[np.argsort(rows["element"])]], 100)
    assert elements_of(merged) == sorted(elements_of(rows))


@pytest.mark.parametrize("sizes", [[0], [1], [7], [3, 4], [0, 9, 0], [100, 1, 50, 200], [1] * 30], ids=str)
@pytest.mark.parametrize("chunk_elements", [1, 4, 64, 65_535])
def test_merged_runs_are_one_sorted_list(sizes: list[int], chunk_elements: int) -> None:
    """However a list is split into batches, the chunks are those of a global sort, all full but the last."""
    runs = [random_rows(size, number) for number, size in enumerate(sizes)]
    chunks = list(s.merge_runs(runs, chunk_elements))
    merged = [element for chunk in chunks for element in elements_of(chunk)]
    assert merged == sorted(element for run in runs for element in elements_of(run))
    assert [len(chunk) for chunk in chunks[:-1]] == [chunk_elements] * (len(chunks) - 1)
    assert all(0 < len(chunk) <= chunk_elements for chunk in chunks)


def test_a_chunk_and_its_reference() -> None:
    rows = random_rows(5, 1)
    reference, elements = s.chunk_reference(InputClass.FULL, rows)
    assert elements == b"".join(elements_of(rows))
    assert (reference.elements, reference.digest) == (5, hashlib.sha256(elements).hexdigest())


def test_tokens_are_those_of_the_summed_key(group: Group, seed: SecretBytes) -> None:
    """Three parties' evaluations, added, give RFC 9497's output under the sum of their shares."""
    shares = [new_share(group, Random(5).randbytes)] + [new_share(group, Random(n).randbytes) for n in (6, 7)]
    rows = s.prepare_run(group, BOTH_CLASSES, seed, places(9, seed))[InputClass.FULL]
    answers = [oprf.evaluate(group, rows["element"].tobytes(), share) for share in shares[1:]]
    made = s.finalize_chunk(group, rows, seed, shares[0], answers)
    # RFC 9497 section 3.3.1, Evaluate: with the whole key in one place, which no party ever has.
    total = sum(int.from_bytes(share.to_bytes(), "little") for share in shares) % ORDER
    key = Share.from_bytes(group, total.to_bytes(32, "little"))
    expected = {}
    for row in rows:
        digest = row["digest"].tobytes()
        element = oprf.evaluate(group, oprf.hash_inputs(group, digest, 32), key)
        output = hashlib.sha512(b"\x00\x20" + digest + b"\x00\x20" + element + b"Finalize").digest()
        expected[output[:16]] = (s.handles_of(seed, [int(row["number"]) // 256]), int(row["rule"]), output[32:])
    found = [made.rows[start : start + 33] for start in range(0, len(made.rows), 33)]
    tokens = [row[17:] for row in found]
    assert tokens == sorted(expected)
    assert [(row[:16], row[16]) for row in found] == [expected[token][:2] for token in tokens]
    assert made.secrets == b"".join(expected[token][2] for token in tokens)


def test_a_finalized_chunk_does_not_show_its_tokens() -> None:
    assert repr(s.FinalizedChunk(bytes(66), bytes(64))) == "FinalizedChunk(2 rows)"


def test_elements_in_order(group: Group, seed: SecretBytes) -> None:
    """Strictly ascending elements pass; one twice or out of order is named by its position, a part of one refused."""
    rows = s.prepare_run(group, BOTH_CLASSES, seed, places(6, seed))[InputClass.FULL]
    elements = elements_of(rows)
    s.check_order(b"".join(elements))
    for wrong, index in (([*elements[:3], *elements[2:]], 3), ([elements[1], elements[0], *elements[2:]], 1)):
        with pytest.raises(MalformedError, match="strictly ascending") as caught:
            s.check_order(b"".join(wrong))
        assert caught.value.fields["index"] == index
    with pytest.raises(MalformedError, match="whole number"):
        s.check_order(elements[0][1:])
