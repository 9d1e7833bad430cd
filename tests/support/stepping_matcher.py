"""The matcher of the core that goes on in small steps, with a feed for each party (`tests.support.stepping_party`)."""

import hashlib
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aquila.errors import AquilaError, EquivocationError, OrderError
from aquila.protocol import matcher as roles
from aquila.protocol.matcher import Matcher, TokenCount
from aquila.protocol.messages import (
    Alarm,
    Confirmation,
    Evaluation,
    HitReport,
    Kind,
    Message,
    Notes,
    Outcome,
    Receipt,
    ReportCheck,
    WithheldAnswer,
)
from aquila.protocol.rounds.round_state import ColumnKey, EvaluationKey, Phase, ReportKey
from aquila.protocol.rounds.verified_round import ReadStatement, Round
from aquila.protocol.shadow.columns import read_column
from aquila.records.rules import RuleTable
from tests.support.plain_table import PlainTable
from tests.support.stepping_party import Content, ContentKey, Parcel, Step


class Event(NamedTuple):
    """A statement that counts, and which parties see it; all of them where none are named."""

    envelope: bytes
    readers: frozenset[str]

    def is_for(self, party: str) -> bool:
        return not self.readers or party in self.readers


def readers_of(round_: Round, message: Message) -> frozenset[str]:
    """Return who sees a statement (PROTOCOL.md section 9)."""
    match message:
        case Evaluation():
            return frozenset({message.party, message.origin})
        case HitReport() | Receipt() | Alarm():
            return frozenset({message.party})
        case ReportCheck() if message.submission_id is not None:
            return frozenset({message.party, message.counterpart})
        case WithheldAnswer():
            return frozenset({message.party, round_.submissions[message.submission_id].party})
        case Notes() | Confirmation():
            return frozenset({message.party, message.to})
        case _:
            return frozenset()


class SteppingMatcher:
    """A matcher that does one step at a time.

    Args:
        matcher: The role.
        table: The match rules.
        new_record: Makes an empty record of the round that sees everything.
        read: Reads an envelope.
        random: Gives random bytes.
    """

    def __init__(
        self,
        matcher: Matcher,
        table: RuleTable,
        new_record: Callable[[], Round],
        read: Callable[[bytes], ReadStatement],
        random: Callable[[int], bytes],
    ) -> None:
        self.matcher, self.table, self.read, self.random = matcher, table, read, random
        self.new_record = new_record
        self.round = new_record()
        self.events: list[Event] = []
        self.content: Content = {}
        self.refused: dict[tuple[str, int], str] = {}
        self.held: dict[ReportKey, bytes] = {}
        """The reports of queries that their askers have not been given yet."""
        self.contradicted: set[str] = set()
        """Who signed two things, as far as it knows."""
        self.tell: Callable[[HitReport], HitReport] = lambda report: report
        """What it reports in place of what it found."""

    def restart(self) -> None:
        """Begin again with the events."""
        self.round = self.new_record()
        for event in self.events:
            self.round.accept_read(self.read(event.envelope))

    def feed_of(self, party: str) -> list[bytes]:
        return [event.envelope for event in self.events if event.is_for(party)]

    def take(self, parcel: Parcel, now: int) -> bool | None:
        """Take what a party sent; return whether it is refused, or None where it cannot be told yet."""
        if parcel.key is not None:
            if self._is_signed(parcel.key, parcel.envelope):
                self.content[parcel.key] = parcel.envelope
                return False
            return None
        try:
            self.accept(parcel.envelope, now)
        except AquilaError as error:
            self.refused[parcel.sender, parcel.number] = error.sentence.code
            if isinstance(error, EquivocationError):
                self.contradicted.add(parcel.sender)
            return True
        return False

    def accept(self, envelope: bytes, now: int) -> None:
        """Take a statement, and show it to those who may see it."""
        accepted = self.round.accept_read(self.read(envelope), now=now)
        if accepted.new:
            self.events.append(Event(envelope, readers_of(self.round, accepted.message)))

    def _is_signed(self, key: ContentKey, content: bytes) -> bool:
        kind, name, place, further = key
        value = hashlib.sha256(content).hexdigest()
        if kind == "chunk" and name in self.round.submissions:
            return self.round.submissions[name].chunks[int(place)].digest == value
        if kind == "answer" and (said := self.round.evaluations.get(EvaluationKey(name, int(place), str(further)))):
            return said.output_digest == value
        if kind == "tokens" and (tokens := self.round.tokens.get(ColumnKey(name, str(place)))):
            return tokens.column.parts[int(further)].digest == value
        return False

    def due(self, now: int) -> list[Step]:
        """Return the steps that can be done now."""
        steps = []
        if self.round.phase is Phase.PROPOSED and self._may(self.matcher.open, self.round, now):
            steps.append(Step(("open",), partial(self._open, now)))
        if self.round.ending is None and self.round.breaking_refusal:
            steps.append(Step(("end",), partial(self._end, Outcome.ABORTED, "a party refused", now)))
        if self.round.ending is None:
            steps += [
                Step(("join", *map(str, key)), partial(self.join, key)) for key in self._pairs() if self.is_due(key)
            ]
            steps += [
                Step(("give", *map(str, key)), partial(self.give, key))
                for key in self.held
                if key.other_side in self.round.receipts or self.round.is_refused(key)
            ]
        return steps

    def _pairs(self) -> list[ReportKey]:
        """Return the pairs of lists, then of queries and lists: of an asker and an owner the first one not reported."""
        round_, first = self.round, dict[ReportKey, ReportKey]()
        for query, owner in round_.tokens:
            asked = round_.submissions[query]
            key = ReportKey(asked.party, owner, query)
            if asked.kind is Kind.QUERY and key.other_side not in round_.reports:
                first.setdefault(key._replace(submission_id=None), key)
        lists = [ReportKey(*pair, None) for pair in round_.manifest.pairs]
        return lists + [key for pair, key in first.items() if pair in round_.reports]

    def is_due(self, report: ReportKey) -> bool:
        """Return whether a pair can be joined now: both columns are there, and their bytes."""
        if report.other_side in self.round.reports or not self.round.compares(report):
            return False
        columns = self.round.columns_of(report) or ()
        return self.round.can_be_joined(report) and all(
            ("tokens", key.submission_id, key.counterpart, index) in self.content
            for key in columns
            for index in range(len(self.round.tokens[key].column.parts))
        )

    def join(self, report: ReportKey) -> None:
        """Join a pair, and report it in one transaction: of a query to the owner of the list, and hold the asker's."""
        columns, query = self.round.columns_of(report) or (), report.submission_id
        submissions, table = [key.submission_id for key in columns], PlainTable()
        said = {key: self.round.tokens[key].column for key in columns}
        for number, (key, column) in enumerate(said.items()):
            counts = TokenCount(self.table, self.round.submissions[key.submission_id])
            for rows in self._rows(key):
                counts.add(rows)
                table.add(number, rows)
            counts.check(column)

        before = self.round.sent_before(query, report.counterpart) if query else []
        earlier = [[b"".join(self._rows(ColumnKey(one, report.counterpart))) for one in before]] if query else []
        graded, met = roles.find_pairs(self.round, self.table, submissions, table, self.tags, earlier)
        reports = list(roles.make_reports(self.round, submissions, graded, met, query, self.random))
        for made in map(self.tell, reports):
            if query is not None and made.party == report.party:
                self.held[report] = self.matcher.report(made)
            else:
                self.accept(self.matcher.report(made), 0)

    def give(self, report: ReportKey) -> None:
        """Give a query's asker its report; one of an answer that was refused goes."""
        envelope = self.held.pop(report)
        if not self.round.is_refused(report):
            self.accept(envelope, 0)

    def tags(self, name: str, party: str) -> NDArray[np.bytes_]:
        """Return the shadow column of a submission for a party."""
        column = self.round.tokens[ColumnKey(name, party)].column
        return read_column(self._parts(ColumnKey(name, party), range(len(column.chunks), len(column.parts))))

    def _rows(self, key: ColumnKey) -> list[bytes]:
        return self._parts(key, range(len(self.round.tokens[key].column.chunks)))

    def _parts(self, key: ColumnKey, numbers: range) -> list[bytes]:
        return [self.content["tokens", key.submission_id, key.counterpart, number] for number in numbers]

    def end(self, now: int) -> bool:
        """End the round as closed if that can be, and return whether it could."""
        terms = Outcome.CLOSED, "its work is done", now
        if self.round.ending or not self._may(self.matcher.end, self.round, *terms):
            return False
        self._end(*terms)
        return True

    def abort(self, now: int) -> None:
        self._end(Outcome.ABORTED, "its time is over", now)

    def _end(self, *terms: object) -> None:
        """End the round; askers get what no owner holds or could still have held (PROTOCOL.md 3.7.4)."""
        # Signed first, as the service does: notes of a report that comes with the ending are exchanged after it.
        ending = self.matcher.end(self.round, *terms)
        for report in list(self.held):
            owners = report.other_side
            if owners not in self.round.alarms or owners in self.round.receipts:
                self.give(report)
        self.accept(ending, 0)

    def _open(self, now: int) -> None:
        self.accept(self.matcher.open(self.round, now), 0)

    @staticmethod
    def _may(announce: Callable[..., bytes], *terms: object) -> bool:
        try:
            announce(*terms)
        except OrderError:
            return False
        return True
