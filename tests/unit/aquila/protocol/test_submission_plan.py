"""A list on its way to a submission: batches that come out the same, limits, dummies."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from aquila.crypto.keys import SecretBytes
from aquila.errors import PolicyError
from aquila.matching.list_rows import Multiplicity
from aquila.octets import parted
from aquila.protocol.submission_plan import BATCH_RECORDS, SubmissionPlan, first_of_each, plan_submission
from aquila.protocol.submissions.padding import DIGEST_BYTES
from aquila.protocol.submissions.submission import merge_runs
from aquila.protocol.submissions.tasks import digest_records
from aquila.records.inputs import record_inputs
from aquila.records.person import Record
from aquila.records.rules import InputClass, RuleTable, load_rules
from tests.support.staged_round import BOTH_CLASSES, StagedRound, blinded, person

Runs = dict[InputClass, list[np.ndarray]]


@pytest.fixture
def prepare(staged: Callable[..., StagedRound]) -> Callable[..., tuple[SubmissionPlan, Runs]]:
    def prepared(
        *batches: Sequence[Record], table: RuleTable = BOTH_CLASSES, **changes: object
    ) -> tuple[SubmissionPlan, Runs]:
        stage = staged(changes=changes)
        return blinded(stage.group, stage.manifest, table, SecretBytes(b"\x07" * 32), *batches)

    return prepared


def people(count: int, name: str = "Novak") -> list[Record]:
    return [
        person(f"r{n}", "Ana" + chr(97 + n % 26) * (1 + n // 26 % 9), name, f"19{n % 100:02}-03-04")
        for n in range(count)
    ]


def rows(runs: Runs) -> dict[InputClass, list[tuple[int, int]]]:
    return {
        kind: sorted(row for run in of_kind for row in run[["number", "rule"]].tolist())
        for kind, of_kind in runs.items()
    }


@pytest.mark.parametrize("records", [(), (person("r", "Ana", "Novak", "1980"),)], ids=["empty list", "no input"])
@pytest.mark.parametrize("batches", [0, 1, 3])
def test_nothing_to_submit(
    prepare: Callable[..., tuple[SubmissionPlan, Runs]], records: Sequence[Record], batches: int
) -> None:
    """A list that is empty, or of which no rule can use a record, is refused before anything is made."""
    with pytest.raises(PolicyError, match="no record of this list gives an input"):
        prepare(*[records] * batches, table=load_rules("exact"))


def test_a_batch_comes_out_the_same(prepare: Callable[..., tuple[SubmissionPlan, Runs]]) -> None:
    """A batch that was interrupted is made again byte for byte, with all its dummies."""
    padding = {"inputs_per_record": (4,), "records_multiple": 10}
    first, second = (prepare(people(7), padding=padding)[1] for _ in range(2))
    made = [[run.tobytes() for of_kind in runs.values() for run in of_kind] for runs in (first, second)]
    assert made[0] == made[1]
    assert sum(map(len, first[InputClass.FULL] + first[InputClass.PARTIAL])) == 40


def test_batches_of_any_size_make_one_list(prepare: Callable[..., tuple[SubmissionPlan, Runs]]) -> None:
    """However a list is cut into batches, the same elements come out, every record's once."""
    records, padding = people(23), {"inputs_per_record": (3,), "records_multiple": 10}
    cut = {
        "one": [records],
        "two": [records[:9], records[9:]],
        "many": [[r] for r in records],
        "gap": [[], records, []],
    }
    merged = {}
    for name, batches in cut.items():
        plan, runs = prepare(*batches, padding=padding)
        assert (plan.records, plan.real_records, plan.batches) == (30, 23, len(batches) + 1)
        merged[name] = [rows.tobytes() for kind in InputClass for rows in merge_runs(runs[kind], 500)]
    assert merged["one"] == merged["two"] == merged["many"] == merged["gap"]
    numbers = {number // 256 for of_kind in rows(runs).values() for number, _ in of_kind}
    assert numbers == set(range(30))


def test_dummies_in_several_batches(prepare: Callable[..., tuple[SubmissionPlan, Runs]]) -> None:
    padding = {"inputs_per_record": (), "records_multiple": 2 * BATCH_RECORDS}
    plan, runs = prepare(people(3), table=load_rules("exact"), padding=padding)
    assert plan.batches == 3
    assert [len(run) for run in runs[InputClass.FULL]] == [3, BATCH_RECORDS, BATCH_RECORDS - 3]


def test_dummies_stand_behind_the_records(prepare: Callable[..., tuple[SubmissionPlan, Runs]]) -> None:
    """A list of three in a multiple of ten has seven dummies with the same rules, and says ten records."""
    plan, runs = prepare(people(3), padding={"inputs_per_record": (), "records_multiple": 10})
    assert plan.records == 10
    found = rows(runs)
    assert [number // 256 for number, _ in found[InputClass.FULL]] == list(range(10))
    assert [number // 256 for number, _ in found[InputClass.PARTIAL]] == list(range(10))


def test_values_that_too_many_share(prepare: Callable[..., tuple[SubmissionPlan, Runs]]) -> None:
    """A value of more records than the limit is not sent under its rule, whichever batch they are in; others are."""
    same = [person(f"r{n}", "Ana", "Novak", f"1980-03-0{n + 1}") for n in range(3)]
    plan, runs = prepare(same[:2], [same[2], person("r3", "Iva", "Kos", "1990-01-01")], frequency_limit=2)
    found = rows(runs)
    assert (len(found[InputClass.FULL]), len(found[InputClass.PARTIAL])) == (4, 1)
    assert plan.held_back == {2: 3}


def test_dummies_are_held_back_like_what_they_copy(prepare: Callable[..., tuple[SubmissionPlan, Runs]]) -> None:
    """A dummy sends no rule that its record could not send, or the matcher would know it by that."""
    same = [person(f"r{n}", "Ana", "Novak", f"1980-03-0{n + 1}") for n in range(3)]
    plan, runs = prepare(same, frequency_limit=2, padding={"inputs_per_record": (), "records_multiple": 10})
    found = rows(runs)
    assert (len(found[InputClass.FULL]), len(found[InputClass.PARTIAL])) == (10, 0)
    assert plan.held_back == {2: 3}


def test_everything_is_held_back(prepare: Callable[..., tuple[SubmissionPlan, Runs]]) -> None:
    """A date that everybody has makes nobody's records one person's, and no few of them stand for the others."""
    same = [person(f"{name}{n}", "Ana", name, "1980-07-01") for name in ("Novak", "Kos", "Zupan") for n in range(3)]
    plan, runs = prepare(same, frequency_limit=2)
    assert rows(runs) == {kind: [] for kind in InputClass}
    assert plan.held_back == {1: 9, 2: 9}


def test_a_person_in_more_records_than_the_limit(staged: Callable[..., StagedRound]) -> None:
    """As many of them as the limit bear all its values, and the matcher flags none; the others are counted."""
    manifest = staged(changes={"padding": {"inputs_per_record": (), "records_multiple": 1}}).manifest
    table = load_rules("default")
    case = [person(f"c{n}", "Jovan", "Kovač", "1971-05-06", nationality=("SI",)) for n in range(12)]
    poor = [person(f"p{n}", "Jovan", "Kovač", "1971-05-06") for n in range(3)]
    records = [*poor, *people(40), *case]
    digested = digest_records(bytes(32), table, records)
    plan = plan_submission(manifest, table, [digested.outline()])
    most = len(record_inputs(case[0], table))
    assert plan.counts[-12:].tolist() == [most - 1] * 8 + [0] * 4  # a pair that is in no other record is not rare here
    assert plan.counts[:3].tolist() == [0] * 3
    inputs = plan.batch(0, SecretBytes(bytes(32)), "00" * 16, digested).inputs
    counted = Multiplicity(table, len(inputs.rules))
    tokens = zip(inputs.rules.tolist(), parted(inputs.digests, DIGEST_BYTES), strict=True)
    counted.add(b"".join(bytes(16) + bytes((rule,)) + digest[:16] for rule, digest in tokens))
    assert counted.flags(manifest.frequency_limit) == ()


def test_a_rule_s_own_limit(staged: Callable[..., StagedRound]) -> None:
    """A rule that says so itself lets fewer records share a value than the manifest."""
    stage, table = staged(), load_rules("default")
    rule = next(rule for rule in table.rules if rule.most_records and rule.most_records < 8)
    record = person("r", "Ana", "Novak", "1980-03-04", phones=("+38641111222",), emails=("a@example.si",))
    assert rule.number in {item.rule for item in record_inputs(record, table)}
    batches = [digest_records(bytes(32), table, [record]) for _ in range(rule.most_records + 1)]
    plan = plan_submission(stage.manifest, table, [batch.outline() for batch in batches])
    assert rule.number in plan.held_back
    plan = plan_submission(stage.manifest, table, [batch.outline() for batch in batches[1:]])
    assert rule.number not in plan.held_back


def test_a_person_of_many_aliases(prepare: Callable[..., tuple[SubmissionPlan, Runs]]) -> None:
    """Someone with more inputs than can be sent does not stop the list: some of each rule go, the rest is counted."""
    aliases = tuple(f"Ana{chr(97 + n)}ka Nov{chr(97 + n)}r Kra{chr(97 + m)}a" for n in range(20) for m in range(4))
    record = person("r", "Ana", "Novak", "1980-03-04", aliases=aliases)
    table = load_rules("default")
    inputs = record_inputs(record, table)
    padding = {"inputs_per_record": (8, 16, 24, 32), "records_multiple": 2}
    plan, runs = prepare([record], table=table, padding=padding)
    sent = Counter(rule for of_kind in rows(runs).values() for _, rule in of_kind)
    assert len(inputs) > 255
    assert sum(sent.values()) == 2 * 224
    assert plan.held_back.total() == len(inputs) - 224
    assert set(sent) == {item.rule for item in inputs}


def test_the_first_of_every_rule_go_first() -> None:
    rules = np.array([1, 1, 1, 1, 1, 1, 2, 3, 3], dtype=np.uint8)
    assert first_of_each(rules, 9).all()
    assert rules[first_of_each(rules, 5)].tolist() == [1, 1, 2, 3, 3]
    assert np.flatnonzero(first_of_each(rules, 4)).tolist() == [0, 1, 6, 7]
    assert not first_of_each(rules, 0).any()
