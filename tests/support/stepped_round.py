"""A round of the core whose parties and matcher go on in small steps, over a network that loses, repeats and reorders.

Parties crash, are stopped, start on older copies of what they stored, and ask for persons; one or the matcher lies.
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
from aquila.protocol.messages import (
    Basis,
    ChanceHits,
    CheckFault,
    Fault,
    Hit,
    HitReport,
    Kind,
    Locks,
    Manifest,
    MetTags,
    Mode,
    Window,
)
from aquila.protocol.party import Party, RoundSecrets
from aquila.protocol.registry import RegisteredParty, Registry
from aquila.protocol.rounds.exchange import records_in_report
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
from tests.support.stepping_party import Drawn, Parcel, Step, SteppingParty, Stored

_DEADLINES = tuple(NOW + hours * 3_600 for hours in (10, 20, 30, 40))
WINDOW = Window(**dict(zip(("consent_by", "submit_by", "evaluate_by", "closes_at"), _DEADLINES, strict=True)))

MATCHER = "matcher"
PARTY_LIES = ("evaluation", "lock", "tags", "tokens", "notes", "")
"""What a lying party tells one of the others wrongly."""

MATCHER_LIES = ("left out", "left out on one side", "tags", "tags on one side", "moved", "invented")
"""What a lying matcher reports wrongly of one pair: hits that are missing or none, or the tags that met."""

TOO_LATE = {"round_already_ended", "statement_time_over", "round_joined_too_late"}
"""Why a statement of an honest party may be refused."""

ONLY_THE_MATCHER_SEES = {
    "tokens_before_evaluations",
    "notes_before_reports",
    "closing_before_hits",
    "withheld_answer_out_of_order",
}
"""What the record of a party cannot refuse."""

_PHASES = list(Phase)

Actions = list[Callable[[], object]]


class Lists(NamedTuple):
    """The persons of a round, and who has which of them."""

    persons: Sequence[Record]
    of: Mapping[str, Sequence[int]]
    asked: Mapping[str, Sequence[tuple[int, ...]]]
    """By party, whom each of its queries asks for; a round without any takes none."""


class Lie(NamedTuple):
    """Who lies in a round, about what, and to whom or about whom."""

    liar: str = ""
    about: str = ""
    pair: tuple[str, ...] = ()
    """Of a party it and its victim; of the matcher the pair that it reports wrongly."""
    of: Kind = Kind.LIST
    """Of the matcher whether it lies about lists or about queries."""


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
        rows["token"] = np.frombuffer(self.random(16 * len(rows)), dtype="V16")
        return FinalizedChunk(rows.tobytes(), chunk.secrets)

    def tags_instead(self, other: str, column: Column) -> Column:
        return column._replace(tags=column.tags[::2]) if self.lies_to(other, "tags") else column

    def notes_instead(self, other: str, entries: list[bytes]) -> list[bytes]:
        return [one[:-1] + bytes([one[-1] ^ 1]) for one in entries] if self.lies_to(other, "notes") else entries


class SteppedRound:
    """A round that goes on step by step.

    Args:
        group: The group backend.
        lists: Who has which persons, and asks for which.
        forbidden: The pairs that the manifest does not allow.
        seed: Of all that is drawn.
        chunk_elements: Elements of a chunk at most.
        lie: Who lies.
    """

    def __init__(
        self,
        group: Group,
        lists: Lists,
        forbidden: Iterable[tuple[str, str]],
        *,
        seed: int,
        chunk_elements: int,
        lie: Lie,
    ) -> None:
        self.group, self.lists, self.random = group, lists, Random(seed)
        self.liar, self.lie = lie.liar, lie
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
        mode = Mode.LISTS_AND_QUERIES if any(lists.asked.values()) else Mode.LISTS
        self.envelope = role.propose(Manifest(**(content | {"window": WINDOW, "pairs": pairs, "mode": mode})))
        self._read: dict[bytes, ReadStatement] = {}
        self.matcher = SteppingMatcher(
            role, BOTH_CLASSES, partial(self.new_record, sees_everything=True), self.read, draw
        )
        self.parties = {
            code: (Liar if code == self.liar else SteppingParty)(
                Party(code, key, group, lambda: NO_LOG),
                BOTH_CLASSES,
                lists.persons,
                lists.of[code],
                partial(self.new_record, sees_everything=False),
                self.matcher.content,
                draw,
            )
            for code, key in keys.items()
        }
        for code, party in self.parties.items():
            party.questions = list(lists.asked.get(code, ()))
            if isinstance(party, Liar):
                party.lie, party.victim = lie.about, lie.pair[1]
        self.matcher.tell = self._tell
        self.lied_of: set[ReportKey] = set()
        """The reports to either side of the pairs that the matcher reported wrongly."""
        self.must_find: set[ReportKey] = set()
        """Those of them whose party finds it by the tags that met."""
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

    def are_refused(self, envelopes: Sequence[bytes], *, by_matcher: bool = True) -> None:
        """Check that the matcher refuses statements, and so does each party that has read all and would see them.

        Args:
            envelopes: The statements.
            by_matcher: Whether the matcher is asked; there is one thing that it takes from itself and a party does not.
        """
        up_to_date = [party for party in self.running if not party.is_behind and not self._unread(party)]
        before = [repr(record) for record in self._records().values()]
        for read in (read_statement(self.registry, envelope) for envelope in envelopes):
            why = ""
            if by_matcher:
                with pytest.raises(AquilaError) as refused:
                    self.matcher.round.accept_read(read, now=self.now)
                why = refused.value.sentence.code
            readers = readers_of(self.matcher.round, read.message) or self.parties.keys()
            for party in up_to_date if why not in ONLY_THE_MATCHER_SEES else ():
                if party.code in readers:
                    with pytest.raises(AquilaError):
                        party.round.accept_read(read, now=self.now)
        assert [repr(record) for record in self._records().values()] == before

    def report_early(self, pick: int) -> None:
        """Let the matcher report what nobody may take from it.

        Of each one: a refused answer; a pair of two lists of which a column is missing; what it reported before; and
        a query before an earlier one, which only the list's owner refuses.
        """
        round_ = self.matcher.round
        if not round_.binding or round_.ending:
            return
        pairs = [ReportKey(*pair, None) for pair in round_.manifest.pairs] + self._asked_pairs()
        sides = [side for key in pairs for side in (key, key.other_side)]
        denied = [one for one in sides if round_.is_refused(one) and one.party == self._asker(one)]
        again = [one for one in sides if one in round_.reports]
        early = [one for one in sides if not round_.can_be_joined(one)]
        both_sent = [one for one in early if round_.list_of(one.party) and round_.list_of(one.counterpart)]
        untold = [one for one in sides if one not in again + early and self._is_out_of_order(one)]
        found = [some[pick % len(some)] for some in (denied, both_sent or early, again) if some]
        self.are_refused([self.matcher.matcher.report(self._empty_report(one)) for one in found])
        if untold:
            report = self._empty_report(untold[pick % len(untold)])
            self.are_refused([self.matcher.matcher.report(report)], by_matcher=False)

    def _is_out_of_order(self, key: ReportKey) -> bool:
        """Return whether the owner of a list lacks a report of an earlier query."""
        round_ = self.matcher.round
        is_owner = key.submission_id is not None and key.party != self._asker(key)
        return is_owner and any(one not in round_.reports for one in round_.rests_on(key))

    def _empty_report(self, key: ReportKey) -> HitReport:
        round_ = self.matcher.round
        records = records_in_report(round_, key.counterpart, key.submission_id) or 1
        chance: dict[str, Any] = {"chance_hits": ChanceHits(high=0, medium=0, low=0), "learned": ()}
        basis = Basis(
            records=records, met=None, common_per_million=5_000, duplicates_per_million=1, settled=0, **chance
        )
        head = key._asdict() | {"round_id": round_.round_id, "binding": round_.binding}
        return HitReport.model_validate(head | {"basis": basis, "hits": (), "below": ()})

    def _asked_pairs(self) -> list[ReportKey]:
        """Return the pair of each query with each list that it meets, as its asker's report."""
        round_ = self.matcher.round
        queries = [(name, one.party) for name, one in round_.submissions.items() if one.kind is Kind.QUERY]
        return [ReportKey(code, owner, name) for name, code in queries for owner in round_.counterparts_of(code)]

    def _asker(self, key: ReportKey) -> str:
        return self.matcher.round.submissions[key.submission_id].party if key.submission_id else ""

    def _tell(self, report: HitReport) -> HitReport:
        """Return what the matcher reports: a lying one, of some reports of one pair, something else than it found."""
        key, is_of = ReportKey.of(report), Kind.QUERY if report.submission_id else Kind.LIST
        if self.liar == MATCHER and {*self.lie.pair} == {*key[:2]} and self.lie.of is is_of:
            told = self._told_instead(key, report)
            if told != report:
                self.lied_of |= {key, key.other_side}
                hits_gone = {hit.handle for hit in report.hits} - {hit.handle for hit in told.hits}
                if told.basis != report.basis or (hits_gone and self._is_new(key, report.hits[0])):
                    self.must_find.add(key)
            report = told
        self.told[key] = report
        if key.party == self._asker(key):
            self._tags_go_out_once(key)
        return report

    def _is_new(self, key: ReportKey, hit: Hit) -> bool:
        """Return whether the tags of a hit met in no earlier report of the two: else only its asker misses it."""
        asker = self._asker(key)
        if asker in ("", key.party):
            return True
        own = self._handles(key).index(bytes.fromhex(hit.handle))
        person, drawn = self._drawn(key).persons[own], self.parties[asker].drawn
        before = self.matcher.round.sent_before(key.submission_id or "", key.party)
        return all(person not in drawn[one].persons for one in before)

    def _told_instead(self, key: ReportKey, report: HitReport) -> HitReport:
        is_first, hits, lie = key.party == min(key[:2]), report.hits, self.lie.about
        if lie.endswith("on one side") and not is_first:
            return report
        if lie.startswith("left out"):
            return report.model_copy(update={"hits": hits[1:]})
        if lie.startswith("tags"):
            met = report.basis.met
            false = met and MetTags(tags=met.tags, digest="66" * 32)
            return report.model_copy(update={"basis": report.basis.model_copy(update={"met": false})})
        invented: dict[str, Any] = {"certainty": Level.LOW, "second": False, "families": ("names",)}
        invented |= {"met": "00", "hit_id": "77" * 16}
        if lie == "moved":
            others = [told for told in self.told.items() if {*told[0][:2]} != {*key[:2]}]
            moved = [hit for _, told in others for hit in told.hits]
            if not moved:
                return report
            invented = dict(moved[0])
        sides = {"handle": self._handle(key), "counterpart_handle": self._handle(key.other_side)}
        every = *hits, Hit(**(invented | sides))
        return report.model_copy(update={"hits": tuple(sorted(every, key=attrgetter("hit_id")))})

    def _drawn(self, key: ReportKey) -> Drawn:
        """Return what was drawn for the submission of a report's party that it is about."""
        is_asker = key.party == self._asker(key)
        name = key.submission_id if is_asker else self.matcher.round.list_of(key.party)
        return self.parties[key.party].drawn[name or ""]

    def _handle(self, key: ReportKey) -> str:
        """Return the handle of a record of a report's party that the other one does not have, or of its first one."""
        shared = {own for own, _ in self.shared(key)}
        handles = self._handles(key)
        alone = [place for place in range(len(handles)) if place not in shared]
        return handles[alone[0] if alone else 0].hex()

    def _handles(self, key: ReportKey) -> list[bytes]:
        """Return the handles of the records of a report's party, in their order, in its column for the other one."""
        drawn = self._drawn(key)
        places = range(len(drawn.persons))
        with SecretBytes(drawn.seed) as seed:
            every = handles_of(seed, list(places), self.matcher.round.handles_for(key.counterpart))
        return [every[HANDLE_BYTES * place : HANDLE_BYTES * (place + 1)] for place in places]

    def shared(self, key: ReportKey) -> set[tuple[int, int]]:
        """Return the places of the same persons on both sides of a report: the plain comparison."""
        own, other = (self._drawn(side).persons for side in (key, key.other_side))
        return {(i, k) for i, a in enumerate(own) for k, b in enumerate(other) if a == b}

    # What holds.

    def check(self) -> None:
        """Check what holds after every step."""
        self._go_forward()
        self._nobody_crosses_what_is_forbidden()
        self._nobody_honest_is_named()
        self._hits_are_true()
        self._owners_come_first()
        self._wrong_tags_are_found()

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
            if not key[0] < key[1] or key in self._compared or key in self.lied_of:
                continue
            self._compared.add(key)
            other = self.told[key.other_side]
            assert [(one.hit_id, one.handle) for one in report.hits] == [
                (one.hit_id, one.counterpart_handle) for one in other.hits
            ]
            if not self._is_lied_to(*key[:2]):
                assert self.records_in(report) == self.shared(key)

    def _tags_go_out_once(self, key: ReportKey) -> None:
        """No tag of a query is in an earlier column of its asker for the same owner: it would be known as no dummy."""
        before = self.matcher.round.sent_before(key.submission_id or "", key.counterpart)
        own, *earlier = (self.matcher.tags(one, key.counterpart) for one in (key.submission_id or "", *before))
        assert not np.isin(own, np.concatenate(earlier)).any()

    def _owners_come_first(self) -> None:
        """No asker has its report before the list's owner has acknowledged its own, but of a round that has ended."""
        round_ = self.matcher.round
        for key in self.told:
            if key in round_.reports and key.party == self._asker(key):
                assert key.other_side in round_.receipts or (round_.ending and key.other_side not in round_.alarms)
                assert not round_.is_refused(key)

    def _wrong_tags_are_found(self) -> None:
        """Whoever has checked a report of which a hit or the tags were changed has found a fault."""
        for key in self.must_find:
            assert self.parties[key.party].stored.faults.get(key, CheckFault.TAGS) is not None

    def records_in(self, report: HitReport) -> set[tuple[int, int]]:
        """Return the places of the records of a report's hits on its two sides."""
        key = ReportKey.of(report)
        own, other = self._handles(key), self._handles(key.other_side)
        return {
            (own.index(bytes.fromhex(hit.handle)), other.index(bytes.fromhex(hit.counterpart_handle)))
            for hit in report.hits
        }

    def _is_lied_to(self, *pair: str) -> bool:
        return self.liar != MATCHER and {*pair} == {*self.lie.pair} and bool(self.lie.about)

    # The end.

    def finish(self) -> None:
        """Let all that are up go on until nothing is due, then those that were stopped, and then end the round."""
        for party in self.parties.values():
            if isinstance(party, Liar):
                party.is_slow = False
        self.report_early(0)
        late = self.stopped - self.gone
        self._complete([party for party in self.running if not party.is_behind])
        self.stopped -= late
        self._complete([party for party in self.running if not party.is_behind])
        self._settle(self.running)
        self.report_early(0)
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
        has_ended = bool(round_.ending or round_.breaking_refusal)
        may_submit, may_ask = self.now <= WINDOW.submit_by, self.now <= WINDOW.closes_at
        self._settle(parties)
        here = {party.code: party for party in parties if party.code in round_.participants}
        for pair in round_.manifest.pairs:
            key = ReportKey(*pair, None)
            if len(here.keys() & {*pair}) < 2 or (has_ended and key not in round_.reports):
                continue
            if round_.columns_of(key) is None:
                assert has_ended or not may_submit
            else:
                self._is_over(key)
        if has_ended:
            return
        for code, party in here.items():
            asked = [one for one in round_.submissions.values() if (one.party, one.kind) == (code, Kind.QUERY)]
            assert len(asked) == len(party.questions) or code not in round_.locks or not may_ask
        for key in self._asked_pairs():
            if here.keys() >= {*key[:2]} and key._replace(submission_id=None) in round_.reports:
                self._is_over(key)

    def _is_over(self, key: ReportKey) -> None:
        if key in self.lied_of:
            self._is_found_out(key)
        elif self._is_lied_to(*key[:2]):
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
        """Check that a pair is over: the hits of the plain comparison, nothing left out, every note confirmed.

        The asker has nothing where the owner of the list refused its answer. A query after such a one, or after a
        report that was wrong, is not checked.
        """
        round_, query = self.matcher.round, key.submission_id
        is_denied = round_.is_refused(key)
        before = round_.rests_on(key) if query else []
        rests_on_a_lie = any(one in self.lied_of for one in before)
        for side in (key, key.other_side):
            party, report = self.parties[side.party].stored, self.told[side]
            assert self.records_in(report) == self.shared(side)
            if is_denied:
                assert side not in round_.receipts
                assert (side in round_.reports) == (side.party != self._asker(side))
                continue
            assert side in round_.receipts
            assert party.noted.get(side, set()) == {hit.hit_id for hit in report.hits}
            faults = {None, CheckFault.EARLIER} if rests_on_a_lie or query else {None}
            assert party.faults.get(side) in faults
        if not is_denied and not rests_on_a_lie and not any(map(round_.is_refused, before)):
            assert agree(round_.checked[key], round_.checked[key.other_side])

    def _is_found_out(self, key: ReportKey) -> None:
        """Check that a lie of the matcher is found, and that no hit is confirmed that is not true.

        Of a query that was refused, and of one after it, the asker cannot check anything before the round ends.
        """
        round_ = self.matcher.round
        before = round_.rests_on(key) if key.submission_id else []
        is_unchecked = any(map(round_.is_refused, (key, *before)))
        for side in (key, key.other_side):
            stored = self.parties[side.party].stored
            assert side not in self.must_find or side in stored.faults or is_unchecked
            held = stored.noted.get(side, set())
            true = [hit for hit in self.told[side].hits if hit.hit_id in held]
            assert self.records_in(self.told[side].model_copy(update={"hits": tuple(true)})) <= self.shared(side)

    def _liar_is_found_out(self, key: ReportKey) -> None:
        """Check that whom a party lied to names it, or finds that its hits do not hold."""
        _, victim = self.lie.pair
        stored, is_reported = self.parties[victim].stored, key in self.matcher.round.reports
        side = key if key.party == victim else key.other_side
        match self.lie.about:
            case "evaluation" | "lock":
                assert stored.named == {self.liar: self.lie.about}
                assert not is_reported
            case "tags" if key.submission_id is None:
                assert stored.faults[side] is CheckFault.COLUMNS
            case "tags":
                assert stored.faults.get(side, CheckFault.EARLIER) is CheckFault.EARLIER
            case "tokens":
                assert not self.told[key].hits
            case "notes" if not self.matcher.round.is_refused(key):
                hits = {hit.hit_id for hit in self.told[key].hits}
                assert stored.refuted.keys() >= hits
                assert {stored.refuted[hit] for hit in hits} <= {Fault.SEALED}

    def _no_number_is_missing(self, party: SteppingParty) -> None:
        """Check that each number of a party is of a statement that counts, was refused, or is given up (3.2.2)."""
        known = self.matcher.round.sequences[party.code]
        given_up = self.matcher.round.closings[party.code].given_up or ()
        empty = {number for first, last in given_up for number in range(first, last + 1)}
        assert set(known) | empty == set(range(1, max(known) + 1))
        assert not set(known) & empty
