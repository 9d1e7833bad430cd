"""The matcher's part in a round, free of I/O (PROTOCOL.md section 3, the matcher's paragraphs).

The matcher opens rounds, counts token rows, grades pairs of handles and signs what it announces. It verifies
statements through `Round`; it cannot read an element or a token.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from aquila.crypto.envelope import sign_envelope
from aquila.crypto.group import ELEMENT_BYTES
from aquila.crypto.keys import SigningKey
from aquila.errors import MalformedError, OrderError, PolicyError
from aquila.matching.certainty import Grade, GradingBasis, Learned, Level, expected_chance_hits
from aquila.matching.grading import grade_lists
from aquila.matching.join import (
    TOKEN_ROW_BYTES,
    MatchedPair,
    MatchedTokenPositions,
    MetTokens,
    TokenTable,
    are_ordered,
    parse_rows,
)
from aquila.matching.learning import ListPair, learn
from aquila.octets import hexadecimal
from aquila.protocol.messages import (
    MOST_HITS_OF_A_PAGE,
    Basis,
    ChanceHits,
    ConsentReference,
    Ending,
    HitReport,
    Kind,
    LearnedWeight,
    Manifest,
    Message,
    MetTags,
    Opening,
    Outcome,
    ReportPage,
    Submission,
    TokenColumn,
)
from aquila.protocol.rounds import rules
from aquila.protocol.rounds.exchange import unfinished
from aquila.protocol.rounds.round_state import Phase
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.shadow.columns import met_digest
from aquila.protocol.shadow.meeting import ColumnTerms, EarlierRows, column_terms, due_tags, meets_a_set, met_tags
from aquila.protocol.shadow.token_rows import TokenRows, numbered
from aquila.protocol.submissions.caps import records_for
from aquila.protocol.submissions.column_sizes import DUMMIES, MOST_TAGS_OF_A_RECORD, TAG_BYTES, planned_dummies
from aquila.protocol.submissions.submission import HANDLE_BYTES, TOKEN_ROW
from aquila.records.rules import InputClass, RuleTable

_THOUSANDTHS = 1_000
_SIDES = "left", "right"

GradingBases: TypeAlias = "dict[tuple[int, int], GradingBasis]"
"""On what the pairs of two lists are graded, by their list numbers."""

ColumnReader: TypeAlias = Callable[[str, str], NDArray[np.bytes_]]
"""Reads the shadow column of a submission for a party."""


class GradedPair(NamedTuple):
    """Two records that met, with the grade of their agreement; `second` where one has a more certain partner."""

    pair: MatchedPair
    level: Level
    grade: Grade
    second: bool


class GradedPairs(NamedTuple):
    """The pairs that are hits, and on what they were graded in the end."""

    grading_bases: GradingBases
    pairs: list[GradedPair]
    below: list[MatchedPair]
    """The other pairs that meet a set of the shadow columns (3.7.13)."""
    met: dict[tuple[int, int], MetTags]
    """The tags that met between two lists, or a query and a list; none where their columns do not fit."""

    @property
    def every(self) -> list[MatchedPair]:
        """All reported pairs: the hits, then those below."""
        return [*(one.pair for one in self.pairs), *self.below]


class TokenCount:
    """Checks the rows of a submission's column and counts them by rule, chunk by chunk (PROTOCOL.md 3.6.2).

    Args:
        table: The match rules.
        submission: What was signed of the submission.

    Attributes:
        counts: How many rows there are under each rule.
    """

    def __init__(self, table: RuleTable, submission: Submission) -> None:
        self.counts: Counter[int] = Counter()
        self._submission = submission
        self._classes = {rule.number: rule.input_class for rule in table.rules}
        self._chunks = iter(submission.chunks)
        self._last: dict[InputClass, np.ndarray] = {}

    def add(self, rows: bytes) -> None:
        """Count the next chunk.

        Raises:
            MalformedError: The rows are not whole, name a rule that the table does not have or that is of another class
                than the chunk, or are not in the order of the rows of their class.
        """
        found, kind = parse_rows(rows), next(self._chunks).input_class
        counts = {rule: count for rule, count in enumerate(np.bincount(found["rule"]).tolist()) if count}
        unknown = min(counts.keys() - self._classes.keys(), default=None)
        if unknown is not None:
            raise MalformedError("token_row_rule_unknown", got=unknown)
        if any(self._classes[rule] is not kind for rule in counts):
            raise MalformedError("token_row_of_other_class", party=self._submission.party, kind=kind.value)
        before = self._last.get(kind, found[:0])
        if not are_ordered(found) or not are_ordered(np.concatenate([before, found[:1]])):
            raise MalformedError("token_rows_not_ordered", party=self._submission.party, kind=kind.value)
        self._last[kind] = found[-1:]
        self.counts.update(counts)

    def check(self, column: TokenColumn) -> None:
        """Refuse tokens that are not as many under a rule as was signed.

        Raises:
            MalformedError: The numbers differ.
        """
        if self.counts != {one.rule: one.rows for one in column.rules}:
            submission = self._submission
            raise MalformedError("token_rules_differ", submission=submission.submission_id, party=submission.party)


@dataclass(frozen=True, slots=True)
class Matcher:
    """The secretariat's matcher with its identity key."""

    identity: SigningKey

    def propose(self, manifest: Manifest) -> bytes:
        """Sign the manifest of a new round (PROTOCOL.md 3.1)."""
        return self._signed(manifest)

    def open(self, round_: Round, now: int) -> bytes:
        """Sign the opening with the consents that came (PROTOCOL.md 3.3.4).

        Raises:
            OrderError: It is open already, or some may still consent, or fewer than two did.
        """
        if round_.phase is not Phase.PROPOSED:
            raise OrderError("round_already_open", round=round_.round_id)
        if not round_.everybody_answered and now <= round_.manifest.window.consent_by:
            raise OrderError("consents_not_over", round=round_.round_id)
        if not round_.manifest.has_pair_among(round_.consents):
            raise OrderError("consents_too_few", round=round_.round_id)
        digests = sorted(round_.consent_digests.items())
        opening = Opening(
            round_id=round_.round_id,
            consents=tuple(ConsentReference(party=party, digest=value) for party, value in digests),
            binding=rules.binding_of(round_.manifest_digest, digests),
        )
        return self._signed(opening)

    def end(self, round_: Round, outcome: Outcome, reason: str, now: int) -> bytes:
        """Sign the end of the round (PROTOCOL.md 3.9).

        Args:
            round_: The record of the round.
            outcome: How it ends.
            reason: Why.
            now: Seconds since 1970.

        Raises:
            OrderError: It has ended already, or would be closed without any report, or before its time is over while a
                pair or a receipt is to come or notes are not all exchanged.
        """
        if round_.ending:
            raise OrderError("round_phase_already_reached", round=round_.round_id, phase=round_.phase.value)
        if outcome is Outcome.CLOSED:
            has_time = now <= round_.manifest.window.closes_at
            missed = round_.missed(now)
            waiting = [party for party in round_.participants if not round_.has_its_hits(party, missed)]
            if not round_.reports or (has_time and waiting):
                missing = f"waiting for {', '.join(waiting)}" if waiting else "no pair is reported"
                raise OrderError("round_hits_not_acknowledged", round=round_.round_id, missing=missing)
            exchanging = unfinished(round_)
            if exchanging and has_time:
                raise OrderError(
                    "round_hits_not_confirmed",
                    round=round_.round_id,
                    party=exchanging[0][0],
                    counterpart=exchanging[0][1],
                )
        return self._signed(Ending(round_id=round_.round_id, outcome=outcome, reason=reason))

    def report(self, report: HitReport) -> bytes:
        """Sign a report to one party (PROTOCOL.md 3.7)."""
        return self._signed(report)

    def _signed(self, message: Message) -> bytes:
        return sign_envelope(message.payload_type, message.payload(), self.identity)


def lists_to_join(round_: Round) -> list[str]:
    """Return the lists that the manifest allows to be joined, the two of each pair one after the other (3.7.1)."""
    found = []
    for pair in round_.manifest.pairs:
        lists = [round_.list_of(party) for party in pair if party in round_.participants]
        if len(lists) == len(pair) and all(lists):
            found += [one for one in lists if one]
    return found


def columns_of(round_: Round, submissions: Sequence[str]) -> list[tuple[str, str]]:
    """Return by list number the submission and for whom its column is: whose the other submission of the pair is."""
    return [(one, round_.submissions[submissions[number ^ 1]].party) for number, one in enumerate(submissions)]


def learn_grading_bases(
    round_: Round, table: RuleTable, submissions: list[str], patterns: dict[tuple[int, int], dict[int, int]]
) -> GradingBases:
    """Learn blind on what the pairs of records of each two lists are graded (PROTOCOL.md 7.3).

    Args:
        round_: The record of the round.
        table: The match rules, of the manifest's digest.
        submissions: Submission ids by list number.
        patterns: How many pairs of records met under each mask of rules, by pair of list numbers.

    Raises:
        PolicyError: The table is not the manifest's.
    """
    if table.digest != round_.manifest.rules.digest:
        raise PolicyError("matcher_match_rules_differ", expected=round_.manifest.rules.digest)
    sizes = [round_.submissions[submission].records for submission in submissions]
    return {
        (left, right): learn(table, ListPair(found, sizes[left], sizes[right]))
        for (left, right), found in patterns.items()
    }


def grade_pairs(
    round_: Round,
    table: RuleTable,
    grading_bases: GradingBases,
    pairs: Iterable[MatchedPair],
    columns: Mapping[tuple[int, int], ColumnTerms],
) -> GradedPairs:
    """Grade every pair of records, and keep those that reach the manifest's minimum (PROTOCOL.md 3.7.2, 7.4).

    Args:
        round_: The record of the round.
        table: The match rules.
        grading_bases: What `learn_grading_bases` gave.
        pairs: What the join found, the pairs of two lists together.
        columns: The terms of the shadow columns.
    """
    settled = dict(grading_bases)
    enough = {level for level in Level if level >= round_.manifest.minimum_certainty}
    hits: list[GradedPair] = []
    below: list[MatchedPair] = []
    for lists, met in groupby(pairs, key=lambda pair: (pair.left, pair.right)):
        meeting: list[MatchedPair] = []
        masks = columns[lists].masks
        settled[lists], standing = grade_lists(table, grading_bases[lists], _noting(met, masks, meeting))
        found = [
            GradedPair(pair, result.level, result, second)
            for pair, result, second in standing
            if result.level in enough
        ]
        are_hits = {pair[:4] for pair, *_ in found}
        hits += found
        below += [pair for pair in meeting if pair[:4] not in are_hits]
    return GradedPairs(settled, hits, below, {})


def _noting(pairs: Iterable[MatchedPair], masks: Sequence[int], meeting: list[MatchedPair]) -> Iterator[MatchedPair]:
    """Yield pairs on their way, and note those that meet a set."""
    known: dict[int, bool] = {}  # many pairs meet in few ways
    for pair in pairs:
        if pair.rules not in known:
            known[pair.rules] = meets_a_set(pair.rules, masks)
        if known[pair.rules]:
            meeting.append(pair)
        yield pair


def _columns_between(round_: Round, table: RuleTable, submissions: list[str]) -> dict[tuple[int, int], ColumnTerms]:
    """Return the terms of the shadow columns of each pair, by their list numbers."""
    owners = [round_.submissions[one].party for one in submissions]
    query = submissions[0] if submissions and round_.submissions[submissions[0]].kind is Kind.QUERY else None
    numbers = range(0, len(submissions), 2)
    return {
        (number, number + 1): column_terms(round_, table, owners[number], owners[number + 1], query)
        for number in numbers
    }


def find_pairs(
    round_: Round,
    table: RuleTable,
    submissions: list[str],
    tokens: TokenTable,
    read_column: ColumnReader,
    earlier: Sequence[Sequence[bytes]] = (),
    executor: Executor | None = None,
) -> tuple[GradedPairs, list[MatchedTokenPositions]]:
    """Join tokens, grade the pairs, and drop those of lists whose columns do not fit their rows (3.7.1, 3.7.2, 3.7.13).

    A query counts as a list here. The basis of dropped pairs is that of lists that share nothing: what was learned of
    them, how many records have a certain partner too, would tell a party that sends wrong tags how often it hit.

    Args:
        round_: The record of the round.
        table: The match rules, of the manifest's digest.
        submissions: The two submissions of each pair, one after the other (`lists_to_join`), a query before the list;
            their places are the list numbers, each of one column of a submission.
        tokens: The rows of these columns.
        read_column: Reads their shadow columns.
        earlier: Of a query, pair by pair, the token rows of each submission that its asker sent before
            (`RoundState.sent_before`), those of the tokens that met at least.
        executor: Where the join runs (`TokenTable.join`).

    Returns:
        The pairs that stay, and which of their tokens met.

    Raises:
        PolicyError: The table is not the manifest's, or the join needs more memory than it may use.
    """
    columns = _columns_between(round_, table, submissions)
    tokens.join(columns, round_.manifest.frequency_limit, executor)
    # Two lists that share nothing are told of too, so that both sides can check it.
    nothing = {lists: dict[int, int]() for lists in columns}
    grading_bases = learn_grading_bases(round_, table, submissions, nothing | tokens.patterns())
    graded = grade_pairs(round_, table, grading_bases, tokens.pairs(), columns)
    found = tokens.met(graded.every)
    lists_of = [(pair.left, pair.right) for pair in graded.every]
    met = _fitting_columns(round_, submissions, columns, found, lists_of, read_column, earlier)
    hits = [one for one in graded.pairs if (one.pair.left, one.pair.right) in met]
    below = [pair for pair in graded.below if (pair.left, pair.right) in met]
    positions = [one for one, lists in zip(found.positions(), lists_of, strict=True) if lists in met]
    dropped = {lists: nothing[lists] for lists in columns if lists not in met}
    bases = learn_grading_bases(round_, table, submissions, dropped) if dropped else {}
    return GradedPairs(grading_bases=graded.grading_bases | bases, pairs=hits, below=below, met=met), positions


def _fitting_columns(
    round_: Round,
    submissions: list[str],
    columns: Mapping[tuple[int, int], ColumnTerms],
    found: MetTokens,
    lists_of: Sequence[tuple[int, int]],
    read_column: ColumnReader,
    earlier: Sequence[Sequence[bytes]],
) -> dict[tuple[int, int], MetTags]:
    """Return which tags met of each two lists whose columns fit the tokens that met; `lists_of` is by pair of these."""
    owners = [round_.submissions[submission].party for submission in submissions]
    sent = [np.frombuffer(rows, dtype=TOKEN_ROW) for of_pair in earlier for rows in of_pair]
    numbers = numbered(np.concatenate([found.tokens, *(rows["token"] for rows in sent)]))[1]
    rows = TokenRows(found.pairs, found.numbers, found.rules, numbers[: len(found.tokens)])
    before = iter(_numbered_rows(sent, numbers[len(found.tokens) :]))
    places = {lists: number for number, lists in enumerate(columns)}
    of_rows = np.array([places[lists] for lists in lists_of], dtype=np.int64)[found.numbers]
    met = {}
    for (left, right), place in places.items():
        terms = columns[left, right]
        both = met_tags(read_column(submissions[left], owners[right]), read_column(submissions[right], owners[left]))
        gone = [EarlierRows(next(before), left_out) for left_out in terms.before] if earlier else None
        if len(both) == due_tags(rows[of_rows == place], terms, gone):
            met[left, right] = MetTags(tags=len(both), digest=met_digest(both))
    return met


def _numbered_rows(sent: Sequence[np.ndarray], tokens: NDArray[np.int64]) -> list[TokenRows]:
    """Return the token rows of some submissions, whose tokens have these numbers in the order of the rows."""
    made = []
    for rows, numbers in zip(sent, np.split(tokens, np.cumsum([len(rows) for rows in sent])), strict=False):
        handles, records = numbered(rows["handle"])
        made.append(TokenRows(len(handles), records, rows["rule"], numbers))
    return made


def make_reports(
    round_: Round,
    submissions: list[str],
    graded: GradedPairs,
    met: Sequence[MatchedTokenPositions],
    submission_id: str | None,
    random: Callable[[int], bytes],
    *,
    most_hits: int = MOST_HITS_OF_A_PAGE,
) -> Iterator[HitReport]:
    """Turn graded pairs into two reports for each two parties, the same hit under the same id on both sides (3.7.3).

    Args:
        round_: The record of the round.
        submissions: Submission ids by list number.
        graded: What `find_pairs` gave; a report says on which basis it was graded.
        met: Which tokens met of each of `graded.every` (`MetTokens.positions`).
        submission_id: The query that was matched, or None for the lists.
        random: Gives the hit ids' 16 random bytes.
        most_hits: The most pairs of a page; a report of the lists with more comes in several (3.7.17).

    Yields:
        Of two parties the one's report and the other's, or its pages in their order; the hits of one page are in memory
        at a time.
    """
    every = graded.every
    ids = np.frombuffer(b"".join([random(16) for _ in every]), dtype="S16")
    lefts, rights = (np.array([getattr(one, side) for one in every], dtype=np.int64) for side in _SIDES)
    order = np.argsort(ids)
    handles = (b"".join([getattr(one, f"{side}_handle") for one in every]) for side in _SIDES)
    names = list(zip(*(hexadecimal(column, HANDLE_BYTES) for column in (ids.tobytes(), *handles)), strict=True))
    for lists in sorted(graded.grading_bases):
        mine = order[((lefts == lists[0]) & (rights == lists[1]))[order]]
        size = most_hits if submission_id is None else max(len(mine), 1)
        pages = max(1, -(-len(mine) // size))
        grades = [graded.pairs[at].grade for at in np.sort(mine).tolist() if at < len(graded.pairs)]
        for own, basis in enumerate(_bases(graded.grading_bases[lists], grades, graded.met.get(lists))):
            party, counterpart = (round_.submissions[submissions[lists[side]]].party for side in (own, 1 - own))
            for number in range(pages):
                places = mine[number * size : (number + 1) * size].tolist()
                hits = [_hit(graded.pairs[at], met[at], names[at], own) for at in places if at < len(graded.pairs)]
                below = [
                    {"pair_id": names[at][0]} | _met(met[at], names[at], own)
                    for at in places
                    if at >= len(graded.pairs)
                ]
                yield HitReport.model_validate(
                    {
                        "round_id": round_.round_id,
                        "binding": round_.binding,
                        "party": party,
                        "counterpart": counterpart,
                        "submission_id": submission_id,
                        "page": ReportPage(number=number, pages=pages) if pages > 1 else None,
                        "basis": basis,
                        "hits": hits,
                        "below": below,
                    }
                )


def _hit(found: GradedPair, places: MatchedTokenPositions, names: tuple[str, str, str], own: int) -> dict[str, object]:
    """Return the fields of a hit as one of its two parties sees it; all hits of a report are made at once."""
    _pair, level, result, second = found
    graded = {"hit_id": names[0], "certainty": level, "families": result.families, "second": second}
    return graded | _met(places, names, own)


def _met(places: MatchedTokenPositions, names: tuple[str, str, str], own: int) -> dict[str, object]:
    """Return the fields that a hit and a pair below share, as the left (0) or the right party (1) sees them."""
    _, *handles = names
    return {"handle": handles[own], "counterpart_handle": handles[1 - own], "met": places[own].hex()}


def _weights(learned: Learned) -> tuple[LearnedWeight, ...]:
    return tuple(LearnedWeight(of=of, centibits=centibits) for of, centibits in learned)


def _bases(found: GradingBasis, grades: Iterable[Grade], met: MetTags | None) -> tuple[Basis, Basis]:
    """Return on what the pairs of two lists were graded, as the left and as the right party's report states it."""
    chance = expected_chance_hits(grades)
    basis = Basis(
        records=found.size_b,
        common_per_million=found.common_per_million,
        duplicates_per_million=found.duplicates_per_million,
        settled=found.settled,
        chance_hits=ChanceHits(**{level.value: round(_THOUSANDTHS * hits) for level, hits in chance.items()}),
        learned=_weights(found.learned),
        met=met,
    )
    return basis, basis.model_copy(update={"records": found.size_a})


def disk_bytes(manifest: Manifest, kept_evaluations: int | None = None, parties: Collection[str] | None = None) -> int:
    """Return the disk space that a round may take at the matcher: its caps' elements, evaluations, tokens and columns.

    Args:
        manifest: The round's manifest.
        kept_evaluations: Bytes of evaluations that are kept at most at the same time; None where nothing bounds them.
        parties: The participants among whom the round is; all of the manifest if not given.
    """
    caps = [cap for cap in manifest.caps if parties is None or cap.party in parties]
    elements = sum(cap.elements.total() for cap in caps)
    evaluations = elements * ELEMENT_BYTES * max(0, len(caps) - 1)
    if kept_evaluations is not None:
        evaluations = min(evaluations, kept_evaluations)
    # Tokens lie there for each counterpart as they came, and those of one pair at a time once more, laid down for the
    # join. Shadow columns have as many tags as are taken for as many records as the caps are for; most have less than a
    # fifth. The dummies of queries are in the columns of lists and of queries.
    dummies = DUMMIES + 2 * planned_dummies(manifest.mode)
    tags = sum(dummies + MOST_TAGS_OF_A_RECORD * records_for(cap.elements) for cap in caps)
    shadows = TAG_BYTES * tags * max(0, len(caps) - 1)
    laid_down = sum(sorted(cap.elements.total() for cap in caps)[-2:]) if len(caps) > 1 else 0
    tokens = TOKEN_ROW_BYTES * (elements * max(0, len(caps) - 1) + laid_down)
    return elements * ELEMENT_BYTES + tokens + shadows + evaluations
