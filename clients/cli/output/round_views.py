"""Rounds on the screen: state, progress, hits, answers to queries, and warnings that what is shown may be old."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import TypeVar

from aquila.interface import rounds as round_views
from aquila.interface.queries import AskedPersons, QueriedParty, QueriedPerson, QueryAnswer
from aquila.matching.certainty import Level
from aquila.protocol.messages import Kind
from aquila.protocol.rounds.round_state import ENDED_PHASES, Phase
from aquila.protocol.submissions.caps import percent_by_names
from aquila.records.rules import CENTIBITS, InputClass
from clients.cli.connect import ConnectedService
from clients.cli.output.screen import Screen, Table, moment, numbered
from clients.sdk import NodeClient
from services.kit.http.signatures import WINDOW_SECONDS

SHORT = 8  # digits of an id that tables show; commands take them in place of the whole

_THOUSANDTHS = 1_000
_NAMED = "name, date of birth"
_NAMES = ("given_names", "family_names", "full_name")
_EXACT = "These numbers are exact and not for publication: publish those of the page *Statistics*."


def rounds_table(rounds: round_views.RoundPage) -> Table:
    rows = [
        (entry.round_id[:SHORT], entry.title, entry.phase, ", ".join(entry.participants)) for entry in rounds.rounds
    ]
    return Table("Rounds", ("round", "title", "phase", "parties"), rows)


def round_tables(view: round_views.MatcherRoundView | round_views.NodeRoundView) -> list[Table | str]:
    tables: list[Table | str] = [_terms(view)]
    if isinstance(view, round_views.MatcherRoundView):
        counts = sorted(view.hits_by_certainty.items())
        levels = [Table("Hits", ("certainty", "hits"), counts)] if counts else []
        exact = [_EXACT] if any(party.hits is not None for party in view.parties) else []
        return [
            *tables,
            _parties(view),
            _pairs(view),
            *levels,
            *exact,
            *(f"Looks like guesses: {flag.text}" for flag in view.flags),
        ]
    tables.append(_parties_at_node(view))
    if view.submissions:
        tables.append(_submissions(view))
    done, keys = view.evaluated_for_others, "present" if view.keys_present else "none"
    tables.append(f"Evaluated for others: {done.done} of {done.of} chunks. Keys of this round: {keys}.")
    if view.hits is not None:
        tables.append(f"{numbered(view.hits, 'hit')}: see `aquila round hits {view.entry.round_id[:SHORT]}`.")
    tables += [f"To do: {wish}" for wish in view.wishes]
    return tables + [f"Stopped by: {problem.text}" for problem in view.problems]


def hits_views(hits: round_views.Hits, limit: int) -> list[Table | str]:
    """Return the hits of a round, what chance made of them, and of what is unanswered that nothing is known."""
    views: list[Table | str] = [*hits_table(hits, limit), chance_table(hits)] if hits.hits else []
    if hits.complete and not hits.hits:
        views.append("There is no hit.")
    views += [
        _unanswered(answer, hits) for answer in hits.answers if answer.state is not round_views.AnswerState.ANSWERED
    ]
    views += [sentence for answer in hits.answers for sentence in _withheld(answer)]
    views += [f"Awaited: {one.step.value} from {one.party or 'the matcher'}" for one in hits.awaited]
    return views + [f"Problem: {problem.text}" for problem in hits.problems]


def _unanswered(answer: round_views.AnswerView, hits: round_views.Hits) -> str:
    """Return why nothing is known of a submission."""
    own = f"query {answer.submission_id[:SHORT]}" if answer.kind is Kind.QUERY and answer.submission_id else "list"
    states = {one.party: one.state for one in answer.parties}
    missing = [party for party, state in states.items() if state is not round_views.AnswerState.ANSWERED]
    if missing and len(missing) < len(states):
        return f"The {own} is complete but for {_joined(missing)}: without an answer there is neither hit nor no-hit."
    why = {
        round_views.AnswerState.AWAITED: "is not answered yet",
        round_views.AnswerState.NEVER: "was not answered, and will not be",
        round_views.AnswerState.ERASED: "has no hits here any more: they were erased after the round's retention",
    }[answer.state]
    return f"No answer: the round is {hits.phase}; the {own} {why}. This is neither a hit nor a no-hit."


def _withheld(answer: round_views.AnswerView) -> Iterator[str]:
    for one in answer.parties:
        if one.state is round_views.AnswerState.ON_HOLD:
            yield f"{one.party} withholds its answer until one of its people decides. Contact it and explain the case."
        elif one.state is round_views.AnswerState.REFUSED:
            yield f"{one.party} refuses its answer: no hit with {one.party} is not a no-hit. Contact it if you need it."


def hits_table(hits: round_views.Hits, limit: int) -> list[Table | str]:
    """Return hits, each with the own record, the surest first, and the contents of the counterparts' notes."""
    shown = sorted(hits.hits, key=lambda hit: (-hit.certainty.least, hit.counterpart, hit.record_id))[:limit]
    rows = [
        (hit.record_id, own_name(hit.record), hit.counterpart, hit.certainty.value, _state(hit), _joined(hit.sentences))
        for hit in shown
    ]
    views: list[Table | str] = [Table("Hits", ("own record", _NAMED, "known to", "certainty", "hit is", "why"), rows)]
    if notes := [row for hit in shown for row in _note_rows(hit)]:
        columns = (
            "own record",
            _NAMED,
            "of",
            "its reference",
            "its evaluation",
            "handling",
            "contact",
            "own evaluation",
        )
        views.append(Table("Notes of confirmed hits", columns, notes))
    views += [
        f"{hit.record_id} ({own_name(hit.record)}), {hit.counterpart}: {_fault(hit)}"
        for hit in shown
        if _state(hit) == "refuted"
    ]
    left = len(hits.hits) - len(shown)
    return [*views, f"{numbered(left, 'more hit')} not shown."] if left else views


def _state(hit: round_views.OwnHit) -> str:
    return hit.exchange.state if hit.exchange else "unconfirmed"


def _fault(hit: round_views.OwnHit) -> str:
    return f"refuted by {hit.exchange.blamed_by}: {hit.exchange.sentence.text}" if hit.exchange else ""


def _note_rows(hit: round_views.OwnHit) -> Iterator[tuple[str, ...]]:
    """Yield the row of a confirmed hit's note; the own evaluation is shown before and after."""
    if hit.exchange and hit.exchange.note and hit.exchange.intelligence:
        note, own = hit.exchange.note, hit.exchange.intelligence
        raised = f"{own.before} -> {own.after}" if own.after != own.before else own.before or "-"
        yield (
            hit.record_id,
            own_name(hit.record),
            hit.counterpart,
            note.reference,
            note.evaluation or "-",
            note.handling_code or "-",
            note.contact,
            raised,
        )


def chance_table(hits: round_views.Hits) -> Table:
    counted = Counter((hit.counterpart, hit.submission_id, hit.certainty.value) for hit in hits.hits)
    levels = [level.value for level in sorted(Level, reverse=True)]
    rows = []
    for one in hits.chance:
        expected = one.chance_hits.model_dump()
        cells = [
            f"{expected[level] / _THOUSANDTHS:.2f} of {counted[one.counterpart, one.submission_id, level]}"
            for level in levels
        ]
        answered = f"query {one.submission_id[:SHORT]}" if one.submission_id else "lists"
        rows.append((one.counterpart, answered, *cells))
    return Table("Expected to be chance, of the hits of each level", ("known to", "of", *levels), rows)


def factor(centibits: int) -> str:
    """Return hundredths of a bit as a factor of odds."""
    return f"{2 ** (centibits / CENTIBITS):.2f}"


def _joined(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def own_name(record: Mapping[str, str | list[str]]) -> str:
    """Return name and date of birth of an own record, as the list has them."""
    texts = [record.get(name, "") for name in _NAMES]
    words = [text if isinstance(text, str) else " ".join(text) for text in texts]
    date = record.get("date_of_birth", "")
    return ", ".join(part for part in (" ".join(filter(None, words)), str(date)) if part)


def _terms(view: round_views.MatcherRoundView | round_views.NodeRoundView) -> Table:
    manifest, entry = view.manifest, view.entry
    window = manifest.window
    without = [p.party for p in manifest.participants if view.participants and p.party not in view.participants]
    rows: Sequence[tuple[str, str]] = [
        ("title", entry.title),
        ("round", entry.round_id),
        ("phase", entry.phase),
        ("parties", ", ".join(entry.participants) + (f" (without {', '.join(without)})" if without else "")),
        ("may be matched", ", ".join(f"{left}-{right}" for left, right in manifest.pairs)),
        ("area, category", f"{manifest.area}, {manifest.category}"),
        ("legal basis", manifest.legal_basis),
        ("purpose", manifest.purpose),
        ("match rules", f"{manifest.rules.name}, digest {manifest.rules.digest[:16]}"),
        ("least certainty", manifest.minimum_certainty.value),
        ("consent by", moment(window.consent_by)),
        ("submit by", moment(window.submit_by)),
        ("evaluate by", moment(window.evaluate_by)),
        ("closes at", moment(window.closes_at)),
        ("manifest digest", view.manifest_digest),
        ("binding", view.binding or "not open yet"),
    ]
    return Table(f"Round {entry.round_id[:SHORT]}", ("", ""), rows)


def _parties(view: round_views.MatcherRoundView) -> Table:
    rows = [
        (
            party.party,
            _tick(value=party.consented),
            _tick(value=party.listed),
            _of(party.blinded),
            _of(party.evaluated),
            _of(party.tokens),
            ", ".join(party.waits_for) or "-",
            "-" if party.hits is None else str(party.hits),
            _tick(value=party.acknowledged),
            _tick(value=party.closed),
        )
        for party in view.parties
    ]
    columns = ("party", "consent", "list", "blinded", "evaluated", "tokens", "waits for", "hits", "fetched", "closed")
    return Table("Parties", columns, rows)


_PAIR_STATES = {
    round_views.PairState.LIST: "a list is awaited",
    round_views.PairState.EVALUATIONS: "evaluations are awaited",
    round_views.PairState.TOKENS: "tokens are awaited",
    round_views.PairState.JOINING: "is being compared",
    round_views.PairState.REPORTED: "reports are out",
    round_views.PairState.ACKNOWLEDGED: "both have their hits",
    round_views.PairState.OVER: "not compared in time",
    round_views.PairState.FAULTY: "cannot be compared",
}


def _pairs(view: round_views.MatcherRoundView) -> Table:
    rows = [
        (f"{one.left}-{one.right}", _PAIR_STATES[one.state], moment(one.since) if one.since else "-")
        for one in view.pairs
    ]
    return Table("Pairs", ("pair", "state", "newest step"), rows)


def _awaited(party: round_views.PartyAtNode) -> str:
    if party.awaited is round_views.Awaited.NOTHING:
        return "-"
    return f"{party.awaited.value} since {moment(party.since)}" if party.since else party.awaited.value


def _parties_at_node(view: round_views.NodeRoundView) -> Table:
    """Return the progress of each party as the node sees it; evaluations between other parties it does not see."""
    rows = [
        (
            party.party if party.takes_part else f"{party.party} (left out)",
            _tick(value=party.consented),
            _tick(value=party.listed),
            party.queries,
            _of(party.evaluated),
            _of(party.tokens),
            "?" if party.has_hits is None else _tick(value=party.has_hits),
            _awaited(party),
        )
        for party in view.parties
    ]
    columns = ("party", "consent", "list", "queries", "evaluated", "tokens", "has hits", "awaited")
    return Table("Parties", columns, rows)


def _submissions(view: round_views.NodeRoundView) -> Table:
    rows = [
        (
            one.submission_id[:SHORT],
            one.kind.value,
            one.state,
            one.records,
            one.elements,
            _of(one.prepared),
            _of(one.sent),
            _of(one.evaluated),
            _of(one.tokens_sent),
        )
        for one in view.submissions
    ]
    columns = ("submission", "kind", "state", "records", "elements", "prepared", "sent", "evaluated", "tokens")
    return Table("Submissions", columns, rows)


def _tick(*, value: bool) -> str:
    return "yes" if value else "-"


def _of(progress: round_views.Progress) -> str:
    return f"{progress.done}/{progress.of}"


def entry_line(entry: round_views.RoundSummary) -> str:
    return f"Round {entry.round_id[:SHORT]} of {', '.join(entry.participants)} is {entry.phase}."


def asked_views(asked: AskedPersons) -> list[Table | str]:
    """Return the persons for whom a query asks as they were read, and what is odd about them."""
    names = [
        (number, name.field, name.written, " ".join(name.words))
        for number, person in enumerate(asked.persons, start=1)
        for name in person.names
    ]
    rest = [
        (number, field, value if isinstance(value, str) else "; ".join(value), "")
        for number, person in enumerate(asked.persons, start=1)
        for field, value in person.record.items()
        if field not in {name.field for name in person.names} and value
    ]
    columns = ("person", "field", "as written", "compared as")
    views: list[Table | str] = [Table("Persons asked for", columns, sorted(names + rest, key=itemgetter(0)))]
    odd = [(one.line, one.field, one.reason.text) for person in asked.persons for one in person.findings]
    if odd:
        views.append(Table("Look at this first", ("person", "field", "what is odd"), odd))
    if asked.left_out:
        views.append(f"{numbered(asked.left_out, 'more person')} of this list not shown.")
    return views


def query_views(answer: QueryAnswer) -> list[Table | str]:
    """Return the answer person by party, and the meaning of a no-hit in a sentence."""
    distrusted = {one.counterpart for one in answer.checks if one.is_distrusted}
    rows = [
        (
            person.record_id,
            own_name(person.record),
            *(_cell(person, party, distrusted=party.party in distrusted) for party in answer.parties),
        )
        for person in answer.persons
    ]
    shown: list[Table | str] = [
        Table(
            f"Query {answer.entry.submission_id[:SHORT]}",
            ("person", _NAMED, *(one.party for one in answer.parties)),
            rows,
        )
    ]
    shown += [f"{one.party} is awaited: {one.awaited.value}." for one in answer.parties if one.state.value == "awaited"]
    shown += [problem.text for problem in answer.problems]
    checked = ", ".join(one.counterpart for one in answer.checks if one.agreed) or "no party"
    shown.append(
        f"A no-hit says that no record of the list reaches {answer.minimum_certainty.value}. It clears nobody. "
        f"Both nodes checked with {checked} that the matcher hid no hit; it can still call one too weak."
    )
    return shown


def _cell(person: QueriedPerson, party: QueriedParty, *, distrusted: bool) -> str:
    hits = [hit for hit in person.hits if hit.party == party.party]
    if hits:
        return ", ".join(
            "withdrawn" if hit.stage.value == "withdrawn" else f"hit, {hit.certainty.value}, {hit.exchange}"
            for hit in hits
        )
    if party.state.value == "answered":
        return "not compared" if not person.compared else "not to be trusted" if distrusted else "no-hit"
    return party.state.value.replace("_", " ")


_CLOCK_SECONDS = 60


def warn_of_contact(reached: ConnectedService, screen: Screen) -> None:
    """Warn on stderr of obstacles between a node and its rounds; for a matcher there are none to report."""
    if isinstance(reached.client, NodeClient):
        for sentence in contact_warnings(reached.client.status()):
            screen.warn(sentence)


def warn_of_declared(reached: ConnectedService, screen: Screen, round_id: str) -> None:
    """Say on stderr which parties declare far more for a round than last time, and what each could find by names.

    A matcher compares none.
    """
    if isinstance(reached.client, NodeClient):
        found = reached.client.safeguards(round_id)
        for warning in found.warnings:
            screen.warn(warning.text)
        declared = {one.origin: one.round_cap for one in found.spent if one.input_class is InputClass.COARSE}
        for cap in reached.client.round(round_id).manifest.caps:
            coarse = declared.get(cap.party) or cap.elements.coarse
            share = f"about {percent_by_names(coarse)} %" if percent_by_names(coarse) else "less than 10 %"
            said = "declares" if declared.get(cap.party) else "may declare at most"
            screen.note(
                f"With the {coarse:,} coarse elements that {cap.party} {said}, {cap.party} and the matcher could find "
                f"{share} of a list's names."
            )


def contact_warnings(status: round_views.NodeStatus) -> Iterator[str]:
    """Yield the faults between a node and the matcher, in sentences."""
    if not status.matcher_reachable:
        yield f"the node does not reach the matcher at {status.matcher_url}; what is shown here may be old"
    if status.clock_difference is not None and abs(status.clock_difference) >= _CLOCK_SECONDS:
        way = "behind" if status.clock_difference > 0 else "ahead of"
        yield (
            f"the node's clock is {abs(status.clock_difference)} s {way} the matcher's, which refuses all calls from "
            f"{WINDOW_SECONDS} s on; set the clock"
        )
    if status.obstacle:
        yield f"the node signs and sends nothing now: {status.obstacle}"
    if status.notifications_failing_since is not None:
        yield "notifications are not handed over to people; the page of an account has the reason"


ReportProgress = Callable[[str, str, int, int], None]
V = TypeVar("V", bound=round_views.MatcherRoundView | round_views.NodeRoundView)

POLL_SECONDS = 1.0
_ORDER = list(Phase)
_AT_MATCHER = ("blinded elements sent", "evaluated for others", "tokens sent")
_AT_NODE = ("prepared", "sent", "evaluated by others", "tokens sent")


def follow_round(
    look: Callable[[], V], told: ReportProgress, until: Phase, pause: Callable[[float], object] = time.sleep
) -> V:
    """Poll a round, report the progress of each party, and return the view that reached the phase.

    Args:
        look: Fetches the view.
        told: Is called with phase, party, done and of.
        until: The phase to wait for; a round that ended is waited for no longer.
        pause: Waits between two looks.
    """
    while True:
        view = look()
        report_progress(view, told)
        phase = Phase(view.entry.phase)
        if phase in ENDED_PHASES or _ORDER.index(phase) >= _ORDER.index(until):
            return view
        pause(POLL_SECONDS)


def report_progress(view: round_views.MatcherRoundView | round_views.NodeRoundView, told: ReportProgress) -> None:
    """Report the progress in a view: of each party the steps that are done, and the first that is not."""
    for who, steps in _steps(view):
        for name, done, of in steps:
            if of:
                told(name, who, done, of)
            if done < of:
                break


def _steps(
    view: round_views.MatcherRoundView | round_views.NodeRoundView,
) -> Iterator[tuple[str, list[tuple[str, int, int]]]]:
    """Return whose steps a view shows, and of each its name, how much is done, and of how much."""
    if isinstance(view, round_views.MatcherRoundView):
        for party in view.parties:
            counts = party.blinded, party.evaluated, party.tokens
            yield party.party, [("consent", int(party.consented), 1), *_named(_AT_MATCHER, counts)]
        return
    for known in (one for one in view.parties if one.takes_part):
        came = [("consent", int(known.consented), 1), ("list", int(known.listed), 1)]
        yield known.party, [*came, *_named(("evaluated", "tokens"), (known.evaluated, known.tokens))]
    for one in view.submissions:
        counts_here = one.prepared, one.sent, one.evaluated, one.tokens_sent
        yield f"{one.kind.value} {one.submission_id[:8]}", _named(_AT_NODE, counts_here)
    yield "others", _named(("evaluated for others",), (view.evaluated_for_others,))


def _named(names: Sequence[str], counts: Sequence[round_views.Progress]) -> list[tuple[str, int, int]]:
    return [(name, count.done, count.of) for name, count in zip(names, counts, strict=True)]
