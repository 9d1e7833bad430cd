"""A round of the core whose parties and matcher go on in small steps, over a network that loses, repeats and reorders.

Parties crash, are stopped, and are started on older copies of what they stored; one of them, or the matcher, may lie.
`SteppedRound.check` holds after every step, and `SteppedRound.finish` lets all that are up go on until nothing is due.
Nothing here is drawn by chance but by the seed that is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from functools import partial
from operator import attrgetter
from random import Random
from typing import Any, NamedTuple

import numpy as np
import pytest

from aquila.crypto.group import Group
from aquila.crypto.keys import IdentityKey, SecretBytes
from aquila.crypto.shares import new_share
from aquila.errors import AquilaError
from aquila.matching.certainty import Level
from aquila.protocol.matcher import Matcher
from aquila.protocol.messages import Basis, ChanceHits, CheckFault, Fault, Hit, HitReport, Locks, Manifest, Window
from aquila.protocol.party import Party, RoundSecrets
from aquila.protocol.registry import RegisteredParty, Registry
from aquila.protocol.rounds.round_state import Phase, ReportKey
from aquila.protocol.rounds.verified_round import ReadStatement, Round, read_statement
from aquila.protocol.shadow.checks import agree
from aquila.protocol.shadow.columns import Column
from aquila.protocol.submissions.submission import HANDLE_BYTES, TOKEN_ROW, FinalizedChunk, handles_of
from aquila.records.person import Record
from aquila.simulation.manifest import NO_PADDING, Terms, make_manifest
from aquila.simulation.round import NO_LOG
from tests.support.offences import offences, payload_in, signed
from tests.support.staged_round import BOTH_CLASSES, NOW
from tests.support.stepping_matcher import SteppingMatcher, readers_of
from tests.support.stepping_party import Parcel, Step, SteppingParty, Stored

_DEADLINES = tuple(NOW + hours * 3_600 for hours in (10, 20, 30, 40))
WINDOW = Window(**dict(zip(("consent_by", "submit_by", "evaluate_by", "closes_at"), _DEADLINES, strict=True)))

MATCHER = "matcher"
PARTY_LIES = ("evaluation", "lock", "tags", "tokens", "notes", "")
"""What a lying party tells one of the others wrongly."""

MATCHER_LIES = ("left out", "left out on one side", "moved", "invented")

TOO_LATE = {"round_already_ended", "statement_time_over", "round_joined_too_late"}
"""Why a statement of an honest party may be refused."""

ONLY_THE_MATCHER_SEES = {"tokens_before_evaluations", "notes_before_reports", "closing_before_hits"}
"""What the record of a party cannot refuse."""

_PHASES = list(Phase)

Actions = list[Callable[[], object]]


class Lists(NamedTuple):
    """The persons of a round, and who has which of them."""

    persons: Sequence[Record]
    of: Mapping[str, Sequence[int]]

    def records(self, party: str) -> list[Record]:
        return [self.persons[number] for number in self.of[party]]

    def shared(self, one: str, other: str) -> set[tuple[int, int]]:
        """Return the places of the same persons in two lists: the plain comparison."""
        places = enumerate(self.of[one])
        return {(i, k) for i, a in places for k, b in enumerate(self.of[other]) if a == b}


class Liar(SteppingParty):
    """A party that lies to one other, and signs what it may not; else it keeps to the protocol."""

    lie, victim = "", ""
    is_slow = True
    """Whether it signs its Locks only when others have submitted their lists."""

    def lies_to(self, other: str, lie: str) -> bool:
        return (self.victim, self.lie) == (other, lie)

    def due(self, now: int) -> list[Step]:
        waits = self.is_slow and not self.round.submissions
        return [step for step in super().due(now) if not (waits and step.key == ("lock",))]

    def evaluation_secrets(self, name: str) -> RoundSecrets:
        if not self.lies_to(self.round.submissions[name].party, "evaluation"):
            return self.secrets
        shares = {kind: new_share(self.party.group, self.random) for kind in self.secrets.shares}
        return RoundSecrets(shares, self.secrets.lock, self.secrets.sealing)

    def lock(self) -> None:
        super().lock()
        if self.lie == "lock":
            number = self.stored.number
            said = Locks.from_payload(payload_in(self.stored.outbox[number].envelope))
            halves = [
                one.model_copy(update={"sealed": one.sealed[:-1] + format(int(one.sealed[-1], 16) ^ 1, "x")})
                if one.counterpart == self.victim
                else one
                for one in said.halves
            ]
            envelope = signed(self.party.identity, said.model_copy(update={"halves": tuple(halves)}))
            self.stored.outbox[number] = Parcel(self.code, envelope, number)

    def sent_instead(self, other: str, chunk: FinalizedChunk) -> FinalizedChunk:
        if not self.lies_to(other, "tokens"):
            return chunk
        rows = np.frombuffer(chunk.rows, dtype=TOKEN_ROW).copy()
        rows["token"] = np.frombuffer(b"".join(sorted(self.random(16) for _ in rows)), dtype="V16")
        return FinalizedChunk(rows.tobytes(), chunk.secrets)

    def tags_instead(self, other: str, column: Column) -> Column:
        return column._replace(tags=column.tags[::2]) if self.lies_to(other, "tags") else column

    def notes_instead(self, other: str, entries: list[bytes]) -> list[bytes]:
        return [one[:-1] + bytes([one[-1] ^ 1]) for one in entries] if self.lies_to(other, "notes") else entries


class SteppedRound:
    """A round that goes on step by step.

    Args:
        group: The group backend.
        lists: Who has which persons.
        forbidden: The pairs that the manifest does not allow.
        seed: Of all that is drawn.
        chunk_elements: Elements of a chunk at most.
        liar: Who lies: a party, the matcher or nobody.
        lie: What it lies about.
        victim: To whom a party lies.
    """

    def __init__(
        self,
        group: Group,
        lists: Lists,
        forbidden: Iterable[tuple[str, str]],
        *,
        seed: int,
        chunk_elements: int,
        liar: str = "",
        lie: str = "",
        victim: str = "",
    ) -> None:
        self.group, self.lists, self.random = group, lists, Random(seed)
        self.liar, self.lie, self.victim = liar, lie, victim
        self.now = NOW
        draw, codes = self.random.randbytes, sorted(lists.of)
        keys = {code: IdentityKey.generate(draw) for code in codes}
        role = Matcher(IdentityKey.generate(draw))
        self.registry = Registry(
            role.identity.public, {code: RegisteredParty(code, code, key.public) for code, key in keys.items()}
        )
        terms = Terms(BOTH_CLASSES, NO_PADDING, Level.LOW, 8, chunk_elements)
        manifest = make_manifest(self.registry, terms, draw(16).hex(), NOW)
        content = {name: getattr(manifest, name) for name in Manifest.model_fields}
        pairs = tuple(pair for pair in manifest.pairs if pair not in set(forbidden))
        self.envelope = role.propose(Manifest(**(content | {"window": WINDOW, "pairs": pairs})))
        self._read: dict[bytes, ReadStatement] = {}
        self.matcher = SteppingMatcher(
            role, BOTH_CLASSES, partial(self.new_record, sees_everything=True), self.read, draw
        )
        self.parties = {
            code: (Liar if code == liar else SteppingParty)(
                Party(code, key, group, lambda: NO_LOG),
                BOTH_CLASSES,
                lists.records(code),
                partial(self.new_record, sees_everything=False),
                self.matcher.content,
                draw,
            )
            for code, key in keys.items()
        }
        match self.parties.get(liar):
            case Liar() as party:
                party.lie, party.victim = lie, victim
        self.matcher.tell = self._tell
        self.lied_of: set[frozenset[str]] = set()
        self.told: dict[ReportKey, HitReport] = {}
        self.stopped: set[str] = set()
        self.gone: set[str] = set()
        self.wire: list[Parcel] = []
        self.copies: dict[str, Stored] = {}
        self._reached: dict[str, int] = {}
        self._compared: set[ReportKey] = set()
        self._seen: dict[str, tuple[int, ...]] = {}

    def new_record(self, *, sees_everything: bool) -> Round:
        return Round.from_manifest(self.registry, self.group, self.envelope, sees_everything=sees_everything)

    def read(self, envelope: bytes) -> ReadStatement:
        """Return what an envelope says; all pin the same keys, so that it is verified once for all."""
        if envelope not in self._read:
            self._read[envelope] = read_statement(self.registry, envelope)
        return self._read[envelope]

    @property
    def running(self) -> list[SteppingParty]:
        return [party for code, party in self.parties.items() if code not in self.stopped | self.gone]

    # What goes on.

    def go_on(self, random: Random) -> None:
        """Do one of the things that can be done now: of a party, of the network or of the matcher."""
        sources: list[Callable[[], Actions]] = [partial(self._of_party, party) for party in self.running]
        sources += [self._of_network, self._of_matcher]
        random.shuffle(sources)
        nothing_else: Actions = [partial(self.matcher.end, self.now)]
        random.choice(next(filter(None, (source() for source in sources)), nothing_else))()

    def _of_party(self, party: SteppingParty) -> Actions:
        actions: Actions = [step.run for step in party.due(self.now)]
        if self._unread(party):
            actions += [partial(self.let_read, party, 1), partial(self.let_read, party, None)]
        return actions + [
            partial(self.wire.append, one) for one in party.stored.outbox.values() if one not in self.wire
        ]

    def _of_network(self) -> Actions:
        return [partial(self.deliver, place) for place in range(len(self.wire))]

    def _of_matcher(self) -> Actions:
        return [step.run for step in self.matcher.due(self.now)]

    def _unread(self, party: SteppingParty) -> list[bytes]:
        return self.matcher.feed_of(party.code)[len(party.stored.feed) :]

    def let_read(self, party: SteppingParty, most: int | None) -> None:
        """Let a party read on in its feed; nobody refuses what the matcher took."""
        unread = self._unread(party)
        for envelope in unread[:most]:
            party.take(self.read(envelope), envelope)
        if most is None or most >= len(unread):
            party.stored.read_until = self.now

    def read_again(self, party: SteppingParty, place: int) -> None:
        """Let a party be told something anew that it has read."""
        if party.stored.feed:
            before, envelope = repr(party.round), party.stored.feed[place % len(party.stored.feed)]
            party.take(self.read(envelope), envelope)
            assert repr(party.round) == before

    def deliver(self, place: int, *, again: bool = False, silently: bool = False) -> None:
        """Let a parcel arrive at the matcher, and its answer at the sender.

        Args:
            place: Which of those that are on their way.
            again: Whether it will arrive once more.
            silently: Whether the answer is lost.
        """
        parcel = self.wire[place] if again else self.wire.pop(place)
        refused, sender = self.matcher.take(parcel, self.now), self.parties[parcel.sender]
        if refused is not None and not silently and sender in self.running:
            sender.was_answered(parcel, is_refused=refused)

    def crash(self, party: SteppingParty) -> None:
        """Let a party forget all that it has not stored; it knows the same again."""
        before = repr(party.round)
        party.restart(self.read)
        assert party.is_behind or repr(party.round) == before

    def crash_matcher(self) -> None:
        before = repr(self.matcher.round)
        self.matcher.restart()
        assert repr(self.matcher.round) == before

    def die_in_a_step(self, party: SteppingParty, pick: int) -> None:
        """Let a party die before it commits one of the steps that are due."""
        steps = party.due(self.now)
        if steps:
            party.die_in(steps[pick % len(steps)], self.read)

    def copy(self, party: SteppingParty) -> None:
        self.copies[party.code] = deepcopy(party.stored)

    def restore(self, party: SteppingParty) -> None:
        """Start a party on an older copy of its store; what it signed since then shows that it is one."""
        older = self.copies.pop(party.code)
        is_older = older.number < party.stored.number
        party.stored = older
        party.restart(self.read)
        assert party.is_behind == is_older
        self._reached.pop(party.code, None)  # it reads again what it had read

    def wait(self) -> None:
        """Let the next deadline pass."""
        self.now = next((deadline + 1 for deadline in _DEADLINES if deadline >= self.now), self.now)

    # Lies.

    def offend(self, code: str) -> None:
        """Let a party sign all that nobody may take from it now."""
        party = self.parties[code]
        if not party.is_behind:
            self.are_refused(list(offences(party, self.matcher.round)))

    def are_refused(self, envelopes: Sequence[bytes]) -> None:
        """Check that the matcher refuses statements, and so does each party that has read all and would see them."""
        up_to_date = [party for party in self.running if not party.is_behind and not self._unread(party)]
        before = [repr(record) for record in self._records().values()]
        for read in (read_statement(self.registry, envelope) for envelope in envelopes):
            with pytest.raises(AquilaError) as refused:
                self.matcher.round.accept_read(read, now=self.now)
            readers = readers_of(read.message) or self.parties.keys()
            for party in up_to_date if refused.value.sentence.code not in ONLY_THE_MATCHER_SEES else ():
                if party.code in readers:
                    with pytest.raises(AquilaError):
                        party.round.accept_read(read, now=self.now)
        assert [repr(record) for record in self._records().values()] == before

    def report_early(self, pick: int) -> None:
        """Let the matcher report a pair of which a column is missing, or anew what it reported: nobody takes it."""
        round_ = self.matcher.round
        sides = [(one, other) for pair in round_.manifest.pairs for one, other in (pair, pair[::-1])]
        one, other = sides[pick % len(sides)]
        if not round_.binding or round_.ending:
            return
        other_list = round_.list_of(other)
        records = round_.submissions[other_list].records if other_list else 1
        nothing = ChanceHits(high=0, medium=0, low=0)
        learned: dict[str, Any] = {
            "common_per_million": 5_000,
            "duplicates_per_million": 1,
            "settled": 0,
            "learned": (),
        }
        basis = Basis(records=records, met=None, chance_hits=nothing, **learned)
        head = {"round_id": round_.round_id, "binding": round_.binding, "party": one, "counterpart": other}
        report = HitReport.model_validate(head | {"submission_id": None, "basis": basis, "hits": (), "below": ()})
        key = ReportKey(one, other, None)
        if not round_.can_be_joined(key) or key in round_.reports:
            self.are_refused([self.matcher.matcher.report(report)])

    def _tell(self, report: HitReport) -> HitReport:
        """Return what the matcher reports: a lying one, of the first pair, something else than it found."""
        key, pair = ReportKey.of(report), self.matcher.round.manifest.pairs[0]
        if self.liar == MATCHER and {*pair} == {*key[:2]}:
            hits = self._told_instead(key, report.hits)
            if hits != report.hits:
                self.lied_of.add(frozenset(pair))
                report = report.model_copy(update={"hits": tuple(sorted(hits, key=attrgetter("hit_id")))})
        self.told[key] = report
        return report

    def _told_instead(self, key: ReportKey, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
        first = min(key[:2])
        match self.lie:
            case "left out":
                return hits[1:]
            case "left out on one side":
                return hits[1:] if key.party == first else hits
            case "moved":
                moved = [hit for told, report in self.told.items() if {*told[:2]} != {*key[:2]} for hit in report.hits]
            case _:
                moved = []
        if self.lie == "moved" and not moved:
            return hits
        invented: dict[str, Any] = {"certainty": Level.LOW, "second": False, "families": ("names",)}
        invented |= {"met": "00", "hit_id": "77" * 16}
        sides = {"handle": self._handle(*key[:2]), "counterpart_handle": self._handle(key.counterpart, key.party)}
        return (*hits, Hit(**(dict(moved[0]) if moved else invented) | sides))

    def _handle(self, party: str, other: str) -> str:
        """Return the handle of a record of a party that the other one does not have, or of its first one."""
        shared = {own for own, _ in self.lists.shared(party, other)}
        alone = [place for place in range(len(self.lists.of[party])) if place not in shared]
        return self._handles(party, other)[alone[0] if alone else 0].hex()

    def _handles(self, party: str, other: str) -> list[bytes]:
        """Return the handles of a party's records, in the order of its list, in its column for another."""
        with SecretBytes(self.parties[party].stored.seed) as seed:
            places = range(len(self.lists.of[party]))
            every = handles_of(seed, list(places), self.matcher.round.handles_for(other))
        return [every[HANDLE_BYTES * place : HANDLE_BYTES * (place + 1)] for place in places]

    # What holds.

    def check(self) -> None:
        """Check what holds after every step."""
        self._go_forward()
        self._nobody_crosses_what_is_forbidden()
        self._nobody_honest_is_named()
        self._hits_are_true()

    def _go_forward(self) -> None:
        for code, record in self._records().items():
            reached = _PHASES.index(record.phase)
            if code == MATCHER or not self.parties[code].is_behind:
                assert reached >= self._reached.get(code, 0)
                self._reached[code] = reached

    def _records(self) -> dict[str, Round]:
        return {MATCHER: self.matcher.round} | {code: party.round for code, party in self.parties.items()}

    def _nobody_crosses_what_is_forbidden(self) -> None:
        for code, record in self._records().items():
            size = len(record.evaluations), len(record.tokens), len(record.reports)
            if size == self._seen.get(code):
                continue
            self._seen[code] = size
            allowed = {frozenset(pair) for pair in record.manifest.pairs}
            met = [(record.submissions[key.submission_id].party, key.evaluator) for key in record.evaluations]
            met += [(record.submissions[name].party, other) for name, other in record.tokens]
            met += [key[:2] for key in record.reports]
            assert {frozenset(pair) for pair in met} <= allowed

    def _nobody_honest_is_named(self) -> None:
        named = {name for party in self.parties.values() if party.code != self.liar for name in party.stored.named}
        assert named | self.matcher.contradicted <= {self.liar}, (named, self.matcher.contradicted)
        own = {code for code, party in self.parties.items() if code != self.liar and not party.is_behind}
        refused = {why for (sender, _), why in self.matcher.refused.items() if sender in own}
        assert refused <= TOO_LATE, refused

    def _hits_are_true(self) -> None:
        """What an honest matcher tells are the hits of the plain comparison, on both sides under the same ids."""
        for key, report in self.told.items():
            if not key[0] < key[1] or key in self._compared or frozenset(key[:2]) in self.lied_of:
                continue
            self._compared.add(key)
            other = self.told[key.other_side]
            assert [(one.hit_id, one.handle) for one in report.hits] == [
                (one.hit_id, one.counterpart_handle) for one in other.hits
            ]
            if not self._is_lied_to(*key[:2]):
                assert self.records_in(report) == self.lists.shared(*key[:2])

    def records_in(self, report: HitReport) -> set[tuple[int, int]]:
        """Return the places of the records of a report's hits in the two lists."""
        own, other = (
            self._handles(*sides) for sides in ((report.party, report.counterpart), (report.counterpart, report.party))
        )
        return {
            (own.index(bytes.fromhex(hit.handle)), other.index(bytes.fromhex(hit.counterpart_handle)))
            for hit in report.hits
        }

    def _is_lied_to(self, *pair: str) -> bool:
        return {*pair} == {self.liar, self.victim} and bool(self.lie)

    # The end.

    def finish(self) -> None:
        """Let all that are up go on until nothing is due, then those that were stopped, and then end the round."""
        for party in self.parties.values():
            if isinstance(party, Liar):
                party.is_slow = False
        late = self.stopped - self.gone
        self._complete([party for party in self.running if not party.is_behind])
        self.stopped -= late
        self._complete([party for party in self.running if not party.is_behind])
        self._settle(self.running)
        self.now = max(self.now, WINDOW.closes_at + 1)
        if self.matcher.round.ending is None and not self.matcher.end(self.now):
            self.matcher.abort(self.now)
        self._settle(self.running)
        for party in self.running:
            if party.code != self.liar and party.code in self.matcher.round.closings:
                self._no_number_is_missing(party)

    def _complete(self, parties: Sequence[SteppingParty]) -> None:
        """Let parties go on until nothing is due to them: each pair of two honest ones is then over."""
        round_ = self.matcher.round
        if round_.phase is Phase.PROPOSED:
            self._settle(parties)
            self.now = max(self.now, WINDOW.consent_by + 1)
        has_ended, is_in_time = bool(round_.ending or round_.breaking_refusal), self.now <= WINDOW.submit_by
        self._settle(parties)
        for one, other in round_.manifest.pairs:
            sides = [party for party in parties if party.code in (one, other) and party.code in round_.participants]
            key = ReportKey(one, other, None)
            if len(sides) < 2 or (has_ended and key not in round_.reports):
                continue
            if round_.columns_of(key) is None:
                assert has_ended or not is_in_time
            elif frozenset((one, other)) in self.lied_of:
                self._is_found_out(key)
            elif self._is_lied_to(one, other):
                self._liar_is_found_out(key)
            else:
                self._is_whole(key)

    def _settle(self, parties: Sequence[SteppingParty]) -> None:
        before: tuple[object, ...] = ()
        while True:
            for party in parties:
                self.let_read(party, None)
                for step in party.due(self.now):
                    step.run()
                for parcel in list(party.stored.outbox.values()):
                    self.wire.append(parcel)
                    self.deliver(len(self.wire) - 1)
            for step in self.matcher.due(self.now):
                step.run()
            self.check()
            now = tuple((len(one.stored.done), len(one.stored.outbox), len(one.stored.feed)) for one in parties)
            after = now, len(self.matcher.events), len(self.matcher.content)
            if after == before and not self.matcher.end(self.now):
                return
            before = after

    def _is_whole(self, key: ReportKey) -> None:
        """Check that a pair is over: the hits of the plain comparison, nothing left out, every note confirmed."""
        round_ = self.matcher.round
        for side in (key, key.other_side):
            party, report = self.parties[side.party].stored, self.told[side]
            assert self.records_in(report) == self.lists.shared(*side[:2])
            assert side in round_.receipts
            assert party.faults[side.counterpart] is None
            assert party.noted.get(side.counterpart, set()) == {hit.hit_id for hit in report.hits}
        assert agree(round_.checked[key], round_.checked[key.other_side])

    def _is_found_out(self, key: ReportKey) -> None:
        """Check that a lie of the matcher is found, and that no hit is confirmed that is not true."""
        if self.lie.startswith("left out"):
            sides = [self.parties[side.party].stored.faults[side.counterpart] for side in (key, key.other_side)]
            assert any(sides) if self.lie.endswith("side") else all(sides)
        for side in (key, key.other_side):
            held = self.parties[side.party].stored.noted.get(side.counterpart, set())
            true = [hit for hit in self.told[side].hits if hit.hit_id in held]
            assert self.records_in(self.told[side].model_copy(update={"hits": tuple(true)})) <= self.lists.shared(
                *side[:2]
            )

    def _liar_is_found_out(self, key: ReportKey) -> None:
        """Check that whom a party lied to names it, or finds that its hits do not hold."""
        victim, is_reported = self.parties[self.victim].stored, key in self.matcher.round.reports
        match self.lie:
            case "evaluation" | "lock":
                assert victim.named == {self.liar: self.lie}
                assert not is_reported
            case "tags":
                assert victim.faults[self.liar] is CheckFault.COLUMNS
            case "tokens":
                assert not self.told[key].hits
            case "notes":
                hits = {hit.hit_id for hit in self.told[key].hits}
                assert victim.refuted.keys() >= hits
                assert {victim.refuted[hit] for hit in hits} <= {Fault.SEALED}

    def _no_number_is_missing(self, party: SteppingParty) -> None:
        """Check that each number of a party is of a statement that counts, was refused, or is given up (3.2.2)."""
        known = self.matcher.round.sequences[party.code]
        given_up = self.matcher.round.closings[party.code].given_up or ()
        empty = {number for first, last in given_up for number in range(first, last + 1)}
        assert set(known) | empty == set(range(1, max(known) + 1))
        assert not set(known) & empty
