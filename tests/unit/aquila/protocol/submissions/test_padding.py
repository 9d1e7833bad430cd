"""Numbers, input digests and padding of a batch of records."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from aquila.crypto.hashing import derive
from aquila.crypto.keys import SecretBytes
from aquila.errors import InputError
from aquila.protocol.encoding import framed
from aquila.protocol.messages import Padding
from aquila.protocol.submissions import padding as p
from aquila.records.inputs import Input
from aquila.simulation import DEFAULT_PADDING, NO_PADDING
from tests.support.plain_inputs import plain_digests
from tests.support.staged_round import BOTH_CLASSES

BINDING = bytes(range(32))
SIZES = Padding(inputs_per_record=(2, 4), records_multiple=10)


@pytest.fixture
def seed() -> SecretBytes:
    return SecretBytes(b"\x07" * 32)


def placed(
    seed: SecretBytes,
    records: Sequence[Sequence[Input]],
    padding: Padding = SIZES,
    first: int = 5,
    real: int = 1_000,
    *,
    blank: bool = False,
) -> p.NumberedInputs:
    every = [item for record in records for item in record]
    batch = p.BatchInputs(
        first=first,
        counts=np.array([len(record) for record in records], dtype=np.int64),
        rules=np.array([item.rule for item in every], dtype=np.uint8),
        digests=plain_digests(BINDING, BOTH_CLASSES, every),
    )
    if blank:
        own = 32 * len(records[0])
        batch = replace(batch, digests=batch.digests[:own] + bytes(len(batch.digests) - own))
    return p.number_inputs(seed, BOTH_CLASSES, padding, batch, real)


def digests_of(places: p.NumberedInputs) -> list[bytes]:
    return [places.digests[start : start + 32] for start in range(0, len(places.digests), 32)]


def padding_digest(seed: SecretBytes, number: int) -> bytes:
    """Return the digest of the padding input of that number (PROTOCOL.md 3.4.6)."""
    return derive(seed, framed("aquila/2 padding"), [number], 32)


@pytest.mark.parametrize(("records", "padded"), [(0, 0), (1, 10), (10, 10), (11, 20)])
def test_records_are_padded_to_a_multiple(records: int, padded: int) -> None:
    """The number of records goes up to the next multiple; without padding it stays."""
    assert p.padded_records(records, SIZES) == padded
    assert p.padded_records(records, NO_PADDING) == records


def test_inputs_are_padded_to_a_size() -> None:
    """Inputs go up to the next size, above the largest to its next multiple."""
    counts = np.array([0, 1, 2, 3, 4, 5, 8, 9])
    assert p.padded_inputs(counts, SIZES).tolist() == [2, 2, 2, 4, 4, 8, 8, 12]
    assert p.padded_inputs(counts, NO_PADDING).tolist() == counts.tolist()


@pytest.mark.parametrize(
    ("padding", "most"), [(NO_PADDING, 255), (DEFAULT_PADDING, 224), (SIZES, 252)], ids=["none", "default", "small"]
)
def test_most_inputs_of_a_record(seed: SecretBytes, padding: Padding, most: int) -> None:
    assert p.most_inputs(padding) == most
    inputs = [Input(1, b"%d" % number) for number in range(most + 1)]
    assert len(placed(seed, [inputs[:most]], padding).numbers) == most
    with pytest.raises(InputError, match="more inputs than can be sent") as caught:
        placed(seed, [inputs], padding)
    assert caught.value.fields == {"expected": most, "got": most + 1}


def test_input_prefixes() -> None:
    """An input digest is SHA-256 over the framed label, binding, class and rule, and the value (3.4.4)."""
    assert p.input_prefixes(BINDING, BOTH_CLASSES) == {
        1: framed("aquila/2 input", BINDING, b"full", b"\x01"),
        2: framed("aquila/2 input", BINDING, b"partial", b"\x02"),
    }


def test_an_input_has_another_digest_elsewhere() -> None:
    one, other = p.input_prefixes(BINDING, BOTH_CLASSES), p.input_prefixes(bytes(32), BOTH_CLASSES)
    assert len({*one.values(), *other.values()}) == 4


def test_places_of_records(seed: SecretBytes) -> None:
    """Numbers follow each other from 256 times the position; padding has a rule of the table and a derived digest."""
    first, second = [Input(2, b"x"), Input(1, b"y"), Input(1, b"z")], [Input(1, b"w")]
    found = placed(seed, [first, [], second])
    assert found.numbers.tolist() == [1280, 1281, 1282, 1283, 1536, 1537, 1792, 1793]
    assert found.rules.tolist()[:3] == [2, 1, 1]
    assert found.rules.tolist()[6] == 1
    assert set(found.rules.tolist()) <= {1, 2}
    expected = digests_of(
        p.NumberedInputs(found.numbers, found.rules, plain_digests(BINDING, BOTH_CLASSES, first + second))
    )
    padding = [padding_digest(seed, number) for number in (1283, 1536, 1537, 1793)]
    assert digests_of(found) == [*expected[:3], *padding[:3], expected[3], padding[3]]


def test_a_dummy_has_rules_and_no_values(seed: SecretBytes) -> None:
    record = [Input(2, b"x"), Input(1, b"y")]
    found = placed(seed, [record, record], real=6, blank=True)
    assert found.rules.tolist() == [2, 1, 2, 1]
    real = plain_digests(BINDING, BOTH_CLASSES, record)
    assert found.digests[:64] == real
    assert digests_of(found)[2:] == [padding_digest(seed, number) for number in (1536, 1537)]


def test_a_batch_comes_out_as_its_records(seed: SecretBytes) -> None:
    records = [[Input(1 + n % 2, b"%d" % n)] * (n % 6) for n in range(30)]
    whole = placed(seed, records, real=25)
    alone = [placed(seed, [record], first=5 + n, real=25) for n, record in enumerate(records)]
    assert whole.digests == b"".join(part.digests for part in alone)
    for column in ("numbers", "rules"):
        assert getattr(whole, column).tolist() == np.concatenate([getattr(part, column) for part in alone]).tolist()


def test_no_records(seed: SecretBytes) -> None:
    found = placed(seed, [])
    assert (found.numbers.tolist(), found.rules.tolist(), found.digests) == ([], [], b"")


def test_padding_tells_no_records_apart(seed: SecretBytes) -> None:
    """Its rules go round by the place in the record: equal numbers of inputs under each rule stay equal."""
    records = [[Input(1, b"%d" % n)] * 3 for n in range(20)]
    six = Padding(inputs_per_record=(6,), records_multiple=1)
    for of in (seed, SecretBytes(b"\x08" * 32)):
        assert placed(of, records, six).rules.tolist() == [1, 1, 1, 2, 1, 2] * 20


def test_profiles_vary(seed: SecretBytes) -> None:
    """Dummies copy various records, as the seed says."""
    profiles = p.profile_positions(seed, np.arange(40, dtype=np.uint64), 5)
    assert set(profiles.tolist()) == set(range(5))


def test_places_do_not_show_their_digests(seed: SecretBytes) -> None:
    """Printed, neither inputs nor places give away a digest that a guess could be compared with."""
    found = placed(seed, [[Input(1, b"x")]])
    assert "digests" not in repr(found)
    assert "digests" not in repr(p.BatchInputs(0, np.array([1]), found.rules, found.digests))
