"""A whole round in one process."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from random import Random

import pytest

from aquila.crypto.group import Group
from aquila.crypto.shares import new_share
from aquila.errors import InputError, KeyMaterialError, ProofError
from aquila.executors import InProcess, local_pool
from aquila.matching.certainty import Level
from aquila.protocol.messages import Kind
from aquila.protocol.rounds.round_state import Phase
from aquila.protocol.submissions.submission import ROW
from aquila.records.person import Record
from aquila.records.rules import load_rules
from aquila.simulation import DEFAULT_PADDING, Rehearsal, SimulatedParty
from aquila.simulation.metrics import peak_memory
from tests.support.record_lists import RecordList, in_memory
from tests.support.staged_round import EXPECTED, LISTS, NOW, person


@pytest.fixture
def rehearse(group: Group, tmp_path: Path) -> Callable[..., Rehearsal]:
    terms = {"table": load_rules("exact"), "random": Random(4).randbytes, "minimum": Level.LOW, "now": NOW}

    def made(**more: object) -> Rehearsal:
        directory = tmp_path / f"round-{len(list(tmp_path.iterdir()))}"
        directory.mkdir()
        return Rehearsal(group, directory=directory, **(terms | more | {"lists": in_memory(more["lists"])}))

    return made


def test_hits_with_both_record_ids(rehearse: Callable[..., Rehearsal]) -> None:
    hits = rehearse(lists=LISTS).run()
    assert {hit[:4] for hit in hits} == EXPECTED
    assert hits == sorted(hits)
    for hit in hits:
        assert hit.party_a < hit.party_b
        assert hit.rules == ("exact names and date",)
        assert hit.certainty.least <= hit.probability <= 1


def test_lists_in_any_order(rehearse: Callable[..., Rehearsal]) -> None:
    """The order in which parties are given does not change what is found, nor who stands first."""
    hits = rehearse(lists=LISTS).run()
    backwards = dict(reversed(LISTS.items()))
    assert rehearse(lists=backwards).run() == hits


def test_the_round_is_closed_and_every_secret_gone(rehearse: Callable[..., Rehearsal]) -> None:
    played = rehearse(lists=LISTS)
    played.run()
    assert {played.round.phase, *(node.round.phase for node in played.nodes.values())} == {Phase.CLOSED}
    assert set(played.round.closings) == set(LISTS)
    for node in played.nodes.values():
        with pytest.raises(KeyMaterialError):
            node.secrets.to_bytes()
        with pytest.raises(KeyMaterialError):
            node.seed.to_bytes()


def test_a_party_is_shown_no_report_of_another(rehearse: Callable[..., Rehearsal]) -> None:
    played = rehearse(lists=LISTS)
    played.run()
    assert set(played.round.reports) == set(played.round.receipts) == set(played.round.reports_of(None))
    for code, node in played.nodes.items():
        own = set(played.round.list_reports(code))
        assert set(node.round.reports) == set(node.round.receipts) == own


def test_what_is_measured(rehearse: Callable[..., Rehearsal]) -> None:
    played = rehearse(lists=LISTS)
    played.run()
    measured = played.measured
    tasks = {"normalize", "blind", "evaluate", "verify", "finalize", "exchange"}
    assert set(measured.seconds) == {"consent", "read", "match", "shadow", "check"} | tasks
    assert set(measured.group_seconds) == tasks
    assert all(0 <= spent <= sum(measured.seconds[phase].values()) for phase, spent in measured.group_seconds.items())
    assert set(measured.seconds["match"]) == {"matcher"}
    assert measured.memory.keys() == {os.getpid()}
    assert measured.peak_memory == peak_memory() > 1 << 20
    assert measured.disk > 12 * ROW.itemsize
    assert all(set(parties) == set(LISTS) for phase, parties in measured.seconds.items() if phase != "match")
    assert measured.elements == {"AL": 3, "RS": 4, "SI": 5}
    tags = dict.fromkeys(LISTS, 0)
    for said in played.round.tokens.values():
        tags[said.party] += 16 * sum(piece.tags for piece in said.column.pieces)
    # Its elements, token rows for each of two counterparts, and evaluations of the others' elements.
    rows = {"AL": 3 * (32 + 2 * 33) + 9 * 32, "RS": 4 * (32 + 2 * 33) + 8 * 32, "SI": 5 * (32 + 2 * 33) + 7 * 32}
    assert measured.bytes_sent == {party: sent + tags[party] for party, sent in rows.items()}


def test_padding_hides_the_size(rehearse: Callable[..., Rehearsal]) -> None:
    played = rehearse(lists=LISTS, padding=DEFAULT_PADDING)
    assert {hit[:4] for hit in played.run()} == EXPECTED
    assert {submission.records for submission in played.round.submissions.values()} == {100}
    assert set(played.measured.elements.values()) == {800}


def test_the_minimum_certainty(rehearse: Callable[..., Rehearsal]) -> None:
    levels = [hit.certainty for hit in rehearse(lists=LISTS).run()]
    assert set(levels) == {Level.HIGH}


def test_the_frequency_limit(rehearse: Callable[..., Rehearsal]) -> None:
    """A person in more records than the limit is found through as many; a date of many names is nobody's."""
    cases = [person(f"case-{n}", "Ana", "Novak", "1980-03-04") for n in range(3)]
    played = rehearse(lists={"AL": [*cases, *LISTS["AL"]], "SI": LISTS["SI"]}, frequency_limit=2)
    through = {("AL", f"case-{n}", "SI", "si-1") for n in range(2)}
    assert {hit[:4] for hit in played.run()} == {("AL", "al-1", "SI", "si-4")} | through
    assert played.measured.held_back == {"AL": {"exact names and date": 1}, "SI": {}}
    dated = [person(f"al-{n}", "Ana", name, "1980-03-04") for n, name in enumerate(3 * ["Novak", "Kos", "Zupan"], 4)]
    dated.append(LISTS["AL"][0])
    played = rehearse(lists={"AL": dated, "SI": LISTS["SI"]}, frequency_limit=2)
    assert {hit[:4] for hit in played.run()} == {("AL", "al-1", "SI", "si-4")}
    assert played.measured.held_back == {"AL": {"exact names and date": 9}, "SI": {}}


def test_every_phase_is_watched(rehearse: Callable[..., Rehearsal]) -> None:
    told: dict[tuple[str, str], list[tuple[int, int]]] = {}
    played = rehearse(lists=LISTS, chunk_elements=2, watch=lambda *step: told.setdefault(step[:2], []).append(step[2:]))
    played.run()
    phases = {"consent", "read", "normalize", "blind", "evaluate", "verify", "finalize", "exchange"}
    assert set(told) == {(phase, code) for phase in phases for code in LISTS} | {("match", "matcher")}
    for steps in told.values():
        assert [done for done, _ in steps] == list(range(1, len(steps) + 1))
        assert {of for _, of in steps} >= {len(steps)}
        assert steps[-1] == (len(steps), len(steps))


def crowd(code: str, count: int) -> list[Record]:
    """Return many persons, of whom at least every third is known to every party."""
    return [
        person(
            f"{code}-{n}",
            f"{code if n % 3 else 'Ana'}{chr(97 + n % 26)}{chr(97 + n // 26)}",
            "Novak",
            f"19{50 + n % 40}-03-{1 + n % 28:02d}",
        )
        for n in range(count)
    ]


CROWDS = {code: crowd(code, 24) for code in ("AL", "RS", "SI")}


@pytest.mark.parametrize("workers", [1, 3])
def test_hits_do_not_depend_on_the_workers(rehearse: Callable[..., Rehearsal], workers: int) -> None:
    """In this process or in several, in batches and chunks of any size, the hits are the same."""
    expected = rehearse(lists=CROWDS).run()
    assert len(expected) >= 3 * 8
    lists = {code: RecordList(records, 16 * workers) for code, records in CROWDS.items()}
    with local_pool(workers) as executor:
        played = rehearse(lists=lists, executor=executor, workers=workers, chunk_elements=5 * workers)
        assert played.run() == expected
    taken = played.measured
    assert (os.getpid() in taken.memory) == (workers == 1)
    assert 1 <= len(taken.memory) <= workers
    assert taken.peak_memory >= peak_memory() + sum(taken.memory.values()) * (workers > 1)


class WrongShare(Rehearsal):
    def submit_lists(self, nodes: Sequence[SimulatedParty], kind: Kind = Kind.LIST) -> None:
        super().submit_lists(nodes, kind)
        secrets = self.nodes["AL"].secrets
        secrets.shares = {input_class: new_share(self.group, self.random) for input_class in secrets.shares}


def test_evaluations_are_verified_before_tokens(group: Group, tmp_path: Path) -> None:
    terms = {"table": load_rules("exact"), "random": Random(4).randbytes, "minimum": Level.LOW, "now": NOW}
    played = WrongShare(group, lists=in_memory(LISTS), directory=tmp_path, **terms)
    with pytest.raises(ProofError):
        played.run()
    assert "AL" not in {column.counterpart for column in played.round.tokens}


def test_the_same_lists_in_another_round(rehearse: Callable[..., Rehearsal]) -> None:
    """Other keys, handles and padding give the same hits with the same probabilities."""
    padding = DEFAULT_PADDING.model_copy(update={"records_multiple": 10})
    terms = {"lists": LISTS, "table": load_rules("default"), "padding": padding}
    expected = rehearse(**terms).run()
    assert rehearse(**terms, random=Random(5).randbytes).run() == expected


class Counting(InProcess):
    """An executor whose futures count as in flight until their result is taken."""

    def __init__(self) -> None:
        self.in_flight = self.most = self.all = 0

    def submit(self, fn: Callable[..., object], /, *args: object, **kwargs: object) -> Future[object]:
        future = CountedFuture(self)
        future.set_result(super().submit(fn, *args, **kwargs).result())
        self.all += 1
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        return future


class CountedFuture(Future[object]):
    def __init__(self, executor: Counting) -> None:
        super().__init__()
        self.executor = executor

    def result(self, timeout: float | None = None) -> object:
        self.executor.in_flight -= 1
        return super().result(timeout)


@pytest.mark.parametrize("workers", [1, 4])
def test_a_bounded_number_of_tasks_is_in_flight(rehearse: Callable[..., Rehearsal], workers: int) -> None:
    """However many batches and chunks there are, what is held of them at a time depends on the workers alone."""
    executor, lists = Counting(), {code: RecordList(records, 3) for code, records in CROWDS.items()}
    rehearse(lists=lists, executor=executor, workers=workers, chunk_elements=2).run()
    assert executor.all > 100
    assert executor.in_flight == 0
    assert executor.most <= 3 * (2 * workers + 1)  # the streams of evaluating, verifying and finalizing


def test_nothing_large_is_left(rehearse: Callable[..., Rehearsal]) -> None:
    """Digests, runs and chunks are deleted as soon as they were used."""
    played = rehearse(lists=LISTS)
    played.run()
    left = {path.relative_to(played.directory).parts[0] for path in played.directory.rglob("*") if path.is_file()}
    assert left <= {"tokens"}


@pytest.mark.parametrize("codes", [(), ("SI",)], ids=["nobody", "one"])
def test_fewer_than_two_parties(rehearse: Callable[..., Rehearsal], codes: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="at least two parties"):
        rehearse(lists={code: LISTS[code] for code in codes})
