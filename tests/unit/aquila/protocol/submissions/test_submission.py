"""The origin's side: places, blinds, chunks, tokens; all from one seed."""

import hashlib
import hmac
from itertools import product
from random import Random

import numpy as np
import pytest

from aquila.crypto import oprf
from aquila.crypto.group import ORDER, Group
from aquila.crypto.hashing import derive
from aquila.crypto.keys import SecretBytes
from aquila.crypto.shares import Share, new_share
from aquila.errors import MalformedError
from aquila.octets import parted
from aquila.protocol.encoding import framed
from aquila.protocol.messages import ChunkReference, Padding
from aquila.protocol.submissions import submission as s
from aquila.protocol.submissions.padding import BatchInputs, NumberedInputs, number_inputs
from aquila.records.inputs import Input
from aquila.records.rules import InputClass
from aquila.simulation import NO_PADDING
from tests.support.plain_inputs import plain_digests
from tests.support.staged_round import BOTH_CLASSES

BINDING = bytes(range(32))
SUBMISSION = bytes(range(16))
SIZES = Padding(inputs_per_record=(2, 4), records_multiple=10)


KEY = b"\x05" * 32
DIGEST = hashlib.sha256(b"an input").digest()


def said(label: str, *parts: bytes) -> bytes:
    """Return a label and parts, each behind its length as PROTOCOL.md 2.3 says it."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in (label.encode(), *parts))


def plain_output(digest: bytes, low: bytes, high: bytes, kind: bytes = b"full", key: bytes = KEY) -> bytes:
    """Return the 64 bytes of a token and its secret as PROTOCOL.md 3.6 says them, of both parties' values."""
    return hmac.digest(key, said("aquila/2 token", kind, digest, low, high), "sha512")


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
    runs = [s.prepare_run(group, BOTH_CLASSES, key, SUBMISSION, places(6, key, SIZES)) for key in (seed, seed, other)]
    for kind in InputClass:
        assert runs[0][kind].tobytes() == runs[1][kind].tobytes()
        assert not set(runs[0][kind]["element"].tolist()) & set(runs[2][kind]["element"].tolist())
    handles = [s.handles_of(*terms) for terms in product((seed, other), ([3], [4]), (None, "AL", "RS"))]
    assert len(set(handles)) == 12
    assert s.handles_of(seed, [3], "AL") == handles[1]
    assert {len(handle) for handle in handles} == {s.HANDLE_BYTES}


def test_blinds_and_handles_are_as_the_protocol_writes_them(group: Group, seed: SecretBytes) -> None:
    """A blind is an HMAC of submission, number and digest modulo the order, a handle a block of a stream (3.4.5)."""
    message = said("aquila/2 blind", SUBMISSION, (1281).to_bytes(8, "big"), DIGEST)
    expected = int.from_bytes(hmac.digest(seed.to_bytes(), message, "sha512"), "little") % ORDER
    assert s.blinds_of(group, seed, SUBMISSION, [1281], DIGEST) == expected.to_bytes(32, "little")
    for counterpart, label in ((None, said("aquila/2 handle")), ("RS", said("aquila/2 handle", b"RS"))):
        assert s.handles_of(seed, [1281], counterpart) == derive(seed, label, [1281], 16)


def test_many_are_their_members(group: Group, seed: SecretBytes) -> None:
    numbers = [2**63, 0, 255, 256, 7]
    digests = [bytes([place]) * 32 for place in range(5)]
    each = [s.blinds_of(group, seed, SUBMISSION, *one) for one in zip(([n] for n in numbers), digests, strict=True)]
    assert s.blinds_of(group, seed, SUBMISSION, numbers, b"".join(digests)) == b"".join(each)
    handles = b"".join(s.handles_of(seed, [number], "AL") for number in numbers)
    assert s.handles_of(seed, numbers, "AL") == handles
    parts = np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(5, 32)
    messages, width = s.framed_rows(5, "label", b"same", parts)
    assert messages == b"".join(framed("label", b"same", digest) for digest in digests)
    assert width * 5 == len(messages)


def test_one_seed_for_two_lists(group: Group, seed: SecretBytes) -> None:
    """A copied machine that blinds another list under the same seed and numbers uses no blind for two inputs.

    An element comes again where the input does at the same number of the same submission, and nowhere else.
    """
    numbers, first = [0, 256, 512], [bytes([place]) * 32 for place in (1, 2, 3)]
    other = [first[0], first[2], bytes([9]) * 32]
    blinds = [parted(s.blinds_of(group, seed, SUBMISSION, numbers, b"".join(some)), 32) for some in (first, other)]
    assert blinds[0][0] == blinds[1][0]
    assert len({*blinds[0], *blinds[1]}) == 5
    elements = [
        set(parted(oprf.blind(group, b"".join(some), 32, b"".join(of)), 32))
        for some, of in zip((first, other), blinds, strict=True)
    ]
    assert len(elements[0] & elements[1]) == 1
    again = s.blinds_of(group, seed, bytes(16), numbers, b"".join(first))
    assert not set(parted(again, 32)) & set(blinds[0])


def test_a_row_of_an_input(group: Group, seed: SecretBytes) -> None:
    rows = s.prepare_run(group, BOTH_CLASSES, seed, SUBMISSION, one_place(2))[InputClass.PARTIAL]
    expected = hashlib.sha256(framed("aquila/2 input", BINDING, b"partial", b"\x02") + b"value").digest()
    assert rows["digest"].tobytes() == expected
    assert rows["element"].tobytes() == oprf.blind(
        group, expected, 32, s.blinds_of(group, seed, SUBMISSION, [0], expected)
    )


def test_a_run_is_sorted_by_its_elements(group: Group, seed: SecretBytes) -> None:
    run = s.prepare_run(group, BOTH_CLASSES, seed, SUBMISSION, places(20, seed))
    for kind, rule in ((InputClass.FULL, 1), (InputClass.PARTIAL, 2)):
        elements = elements_of(run[kind])
        assert elements == sorted(elements)
        assert set(run[kind]["rule"].tolist()) == {rule}
        assert sorted(int(number) % 256 for number in run[kind]["number"]) == [rule - 1] * 20


def test_a_class_without_inputs(group: Group, seed: SecretBytes) -> None:
    run = s.prepare_run(group, BOTH_CLASSES, seed, SUBMISSION, one_place(1))
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


def terms_of(
    origin: str, counterpart: str, of: Share, evaluated: bytes, key: bytes = KEY, handles_for: str | None = None
) -> s.RowTerms:
    return s.RowTerms(origin, counterpart, SecretBytes(key), of.public_key, evaluated, handles_for)


def chunk_for(
    group: Group, seed: SecretBytes, rows: np.ndarray, share: Share, *columns: tuple[str, Share, bytes, str | None]
) -> list[s.FinalizedChunk]:
    """Let RS finalize rows of the class full with evaluations of others, each under a key and with handles for it."""
    terms = [
        terms_of("RS", code, other, oprf.evaluate(group, rows["element"].tobytes(), other), key, handles_for)
        for code, other, key, handles_for in columns
    ]
    finalized = s.finalize_chunk(group, rows, seed, SUBMISSION, InputClass.FULL, share, terms)
    return [one for chunk in finalized for one in in_order(InputClass.FULL, chunk)]


def in_order(kind: InputClass, *finalized: s.FinalizedChunk) -> list[s.FinalizedChunk]:
    """Return the chunks of one class of a column."""
    sizes = [len(chunk.secrets) // 32 for chunk in finalized]
    chunks = [ChunkReference(input_class=kind, elements=size, digest="0" * 64) for size in sizes]
    return [chunk for _, chunk in s.order_rows(chunks, finalized.__getitem__)]


def tokens_in(chunk: s.FinalizedChunk) -> list[bytes]:
    return [row[17:] for row in parted(chunk.rows, 33)]


def test_rows_are_as_the_protocol_writes_them(group: Group, seed: SecretBytes) -> None:
    """For each counterpart an HMAC under the pair's key of the input and of both values, the lesser code's first."""
    own, al, si = (new_share(group, Random(number).randbytes) for number in (5, 6, 7))
    rows = s.prepare_run(group, BOTH_CLASSES, seed, SUBMISSION, places(9, seed))[InputClass.FULL]
    keys = {"AL": KEY, "SI": b"\x06" * 32}
    made = chunk_for(group, seed, rows, own, ("AL", al, keys["AL"], None), ("SI", si, keys["SI"], "SI"))
    for chunk, (code, other, handles_for) in zip(made, (("AL", al, None), ("SI", si, "SI")), strict=True):
        expected = {}
        for row in rows:
            digest = row["digest"].tobytes()
            element = oprf.hash_inputs(group, digest, 32)
            mine, theirs = (group.multiply(element, share.to_bytes()) for share in (own, other))
            low, high = (theirs, mine) if code == "AL" else (mine, theirs)
            output = plain_output(digest, low, high, key=keys[code])
            handle = s.handles_of(seed, [int(row["number"]) // 256], handles_for)
            expected[output[:16]] = (handle + bytes([row["rule"]]), output[32:])
        assert parted(chunk.rows, 33) == [expected[token][0] + token for token in sorted(expected)]
        assert chunk.secrets == b"".join(expected[token][1] for token in sorted(expected))


def test_both_sides_make_the_same_tokens(group: Group, seed: SecretBytes) -> None:
    """Of equal inputs, whoever blinded them: each side has its own value by itself, and the other's evaluated."""
    mine, theirs = (new_share(group, Random(number).randbytes) for number in (5, 6))
    sides = []
    for origin, share, other, of in (("RS", mine, theirs, seed), ("SI", theirs, mine, SecretBytes(b"\x08" * 32))):
        rows = s.prepare_run(group, BOTH_CLASSES, of, SUBMISSION, places(9, of))[InputClass.FULL]
        evaluated = oprf.evaluate(group, rows["element"].tobytes(), other)
        counterpart = "SI" if origin == "RS" else "RS"
        terms = [terms_of(origin, counterpart, other, evaluated)]
        (made,) = in_order(
            InputClass.FULL, *s.finalize_chunk(group, rows, of, SUBMISSION, InputClass.FULL, share, terms)
        )
        sides.append((tokens_in(made), made.secrets, {row[:16] for row in parted(made.rows, 33)}))
    assert sides[0][:2] == sides[1][:2]
    assert not sides[0][2] & sides[1][2]


def test_rows_that_1_0_0_blinded(group: Group, seed: SecretBytes) -> None:
    """By multiplying, in a round that was open when a node was brought up to date: the tokens are the same."""
    own, other = (new_share(group, Random(number).randbytes) for number in (5, 6))
    rows = s.prepare_run(group, BOTH_CLASSES, seed, SUBMISSION, places(9, seed))[InputClass.FULL]
    multiplied = rows.copy()
    for row in multiplied:
        digest = row["digest"].tobytes()
        blind = s.blinds_of(group, seed, SUBMISSION, [int(row["number"])], digest)
        row["element"] = group.multiply(oprf.hash_inputs(group, digest, 32), blind)
    made, of_1_0 = (chunk_for(group, seed, some, own, ("SI", other, KEY, None)) for some in (rows, multiplied))
    assert made == of_1_0


def test_one_thing_that_differs_gives_other_tokens(group: Group, seed: SecretBytes) -> None:
    """Another key of the pair, class, share of either side: none of nine tokens is one of the others."""
    own, other, third = (new_share(group, Random(number).randbytes) for number in (5, 6, 7))
    rows = s.prepare_run(group, BOTH_CLASSES, seed, SUBMISSION, places(9, seed))[InputClass.FULL]
    made = [
        *chunk_for(group, seed, rows, own, ("SI", other, KEY, None), ("SI", other, bytes(32), None)),
        *chunk_for(group, seed, rows, own, ("SI", third, KEY, None), ("AL", other, KEY, None)),
        *chunk_for(group, seed, rows, third, ("SI", other, KEY, None)),
    ]
    evaluated = oprf.evaluate(group, rows["element"].tobytes(), other)
    terms = [terms_of("RS", "SI", other, evaluated)]
    made += s.finalize_chunk(group, rows, seed, SUBMISSION, InputClass.PARTIAL, own, terms)
    assert len({token for chunk in made for token in tokens_in(chunk)}) == 9 * len(made)


@pytest.mark.parametrize("known", [0, 1, 77])
def test_a_key_made_of_the_others(group: Group, seed: SecretBytes, known: int) -> None:
    """Who brings the key tG - K' of the other's K' knows the sum of both values, tH(x), and no token of any guess.

    With t = 0, the key -K', the sum is the same for all inputs. Its proof of knowledge would be refused already.
    """
    victim = new_share(group, Random(5).randbytes)
    number = (known - int.from_bytes(victim.to_bytes(), "little")) % ORDER
    rogue = Share.from_bytes(group, number.to_bytes(32, "little"))
    rows = s.prepare_run(group, BOTH_CLASSES, seed, SUBMISSION, places(9, seed))[InputClass.FULL]
    (made,) = chunk_for(group, seed, rows, victim, ("SI", rogue, KEY, None))
    tokens = set(tokens_in(made))
    assert len(tokens) == 9
    for digest in (row["digest"].tobytes() for row in rows):
        element = oprf.hash_inputs(group, digest, 32)
        value = group.multiply(element, victim.to_bytes())
        summed = group.multiply(element, known.to_bytes(32, "little")) if known else bytes(32)
        have = [element, summed, bytes(32), group.multiply(element, (ORDER - 1).to_bytes(32, "little"))]
        assert not {plain_output(digest, low, high)[:16] for low, high in product(have, have)} & tokens
        rest = group.multiply(element, rogue.to_bytes())
        assert plain_output(digest, value, rest)[:16] in tokens


@pytest.mark.parametrize("at_once", [1, 9, 100, s.ORDERED_AT_ONCE])
def test_rows_in_the_order_of_their_class(at_once: int) -> None:
    """By token, and where these are equal or begin alike by all that is left; each keeps its secret, also in ranges.

    Chunks of another class lie between, and have an order of their own.
    """
    random, sizes = Random(5), {0: 7, 1: 40, 2: 5, 3: 30, 4: 1}
    few = [random.randbytes(8) for _ in range(6)]
    tokens = [one + end for one in few for end in (bytes(7) + b"\1", b"\xff" * 8)]
    rows = {
        place: [random.randbytes(16) + b"\1" + random.choice(tokens) for _ in range(size)]
        for place, size in sizes.items()
    }
    secrets = {row: random.randbytes(32) for of_chunk in rows.values() for row in of_chunk}
    kinds = {place: InputClass.FULL if place % 2 else InputClass.PARTIAL for place in sizes}
    chunks = [ChunkReference(input_class=kinds[at], elements=size, digest="0" * 64) for at, size in sizes.items()]

    def read(place: int) -> s.FinalizedChunk:
        return s.FinalizedChunk(b"".join(rows[place]), b"".join(secrets[row] for row in rows[place]))

    made = dict(s.order_rows(chunks, read, at_once))
    assert {place: len(chunk.rows) // 33 for place, chunk in made.items()} == sizes
    for kind in (InputClass.FULL, InputClass.PARTIAL):
        of_kind = [place for place in sizes if kinds[place] is kind]
        every = sorted((row for place in of_kind for row in rows[place]), key=lambda row: (row[17:], row[:16]))
        assert b"".join(made[place].rows for place in of_kind) == b"".join(every)
        assert b"".join(made[place].secrets for place in of_kind) == b"".join(secrets[row] for row in every)


def test_a_finalized_chunk_does_not_show_its_tokens() -> None:
    assert repr(s.FinalizedChunk(bytes(66), bytes(64))) == "FinalizedChunk(2 rows)"


def test_elements_in_order(group: Group, seed: SecretBytes) -> None:
    """Strictly ascending elements pass; one twice or out of order is named by its position, a part of one refused."""
    rows = s.prepare_run(group, BOTH_CLASSES, seed, SUBMISSION, places(6, seed))[InputClass.FULL]
    elements = elements_of(rows)
    s.check_order(b"".join(elements))
    for wrong, index in (([*elements[:3], *elements[2:]], 3), ([elements[1], elements[0], *elements[2:]], 1)):
        with pytest.raises(MalformedError, match="strictly ascending") as caught:
            s.check_order(b"".join(wrong))
        assert caught.value.fields["index"] == index
    with pytest.raises(MalformedError, match="whole number"):
        s.check_order(elements[0][1:])
