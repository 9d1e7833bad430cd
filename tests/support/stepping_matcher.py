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
from aquila.protocol.messages import Confirmation, Evaluation, HitReport, Message, Notes, Outcome, Receipt
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


def readers_of(message: Message) -> frozenset[str]:
    """Return who sees a statement (PROTOCOL.md section 9)."""
    match message:
        case Evaluation():
            return frozenset({message.party, message.origin})
        case HitReport() | Receipt():
            return frozenset({message.party})
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
            self.events.append(Event(envelope, readers_of(accepted.message)))

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
            steps.append(Step(("open",), partial(self._announce, self.matcher.open, self.round, now)))
        if self.round.ending is None and self.round.breaking_refusal:
            terms = self.round, Outcome.ABORTED, "a party refused", now
            steps.append(Step(("end",), partial(self._announce, self.matcher.end, *terms)))
        if self.round.ending is None:
            steps += [
                Step(("join", *pair), partial(self.join, *pair))
                for pair in self.round.manifest.pairs
                if self.is_due(*pair)
            ]
        return steps

    def is_due(self, left: str, right: str) -> bool:
        """Return whether two parties' lists can be joined now: both columns are there, and their bytes."""
        report = ReportKey(left, right, None)
        if report in self.round.reports or not self.round.compares(report) or not self.round.can_be_joined(report):
            return False
        columns = self.round.columns_of(report) or ()
        return all(
            ("tokens", key.submission_id, key.counterpart, index) in self.content
            for key in columns
            for index in range(len(self.round.tokens[key].column.parts))
        )

    def join(self, left: str, right: str) -> None:
        """Join the lists of two parties, and report to both in one transaction."""
        columns = self.round.columns_of(ReportKey(left, right, None)) or ()
        submissions, table = [key.submission_id for key in columns], PlainTable()
        said = {key: self.round.tokens[key].column for key in columns}
        for number, (key, column) in enumerate(said.items()):
            counts = TokenCount(self.table)
            for rows in self._parts(key, range(len(column.chunks))):
                counts.add(rows)
                table.add(number, rows)
            counts.check(self.round.submissions[key.submission_id], column)

        def tags(name: str, party: str) -> NDArray[np.bytes_]:
            key = ColumnKey(name, party)
            return read_column(self._parts(key, range(len(said[key].chunks), len(said[key].parts))))

        graded, met = roles.find_pairs(self.round, self.table, submissions, table, tags)
        reports = list(roles.make_reports(self.round, submissions, graded, met, None, self.random))
        for report in map(self.tell, reports):
            self.accept(self.matcher.report(report), 0)

    def _parts(self, key: ColumnKey, numbers: range) -> list[bytes]:
        return [self.content["tokens", key.submission_id, key.counterpart, number] for number in numbers]

    def end(self, now: int) -> bool:
        """End the round as closed if that can be, and return whether it could."""
        terms = self.round, Outcome.CLOSED, "its work is done", now
        if self.round.ending or not self._may(self.matcher.end, *terms):
            return False
        self._announce(self.matcher.end, *terms)
        return True

    def abort(self, now: int) -> None:
        self._announce(self.matcher.end, self.round, Outcome.ABORTED, "its time is over", now)

    def _announce(self, announce: Callable[..., bytes], *terms: object) -> None:
        self.accept(announce(*terms), 0)

    @staticmethod
    def _may(announce: Callable[..., bytes], *terms: object) -> bool:
        try:
            announce(*terms)
        except OrderError:
            return False
        return True
