"""A round on the screen: its progress, hits, and the answer to a query."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from aquila.interface import rounds as round_views
from aquila.interface.queries import QueriedParty, QueriedPerson, QueryAnswer
from aquila.protocol.rounds.round_state import ENDED_PHASES, Phase
from clients.cli.output.screen import Table, numbered

SHORT = 8  # digits of an id that tables show; commands take them in place of the whole

_NAMED = "name, date of birth"
_NAMES = ("given_names", "family_names", "full_name")


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


def _joined(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def own_name(record: Mapping[str, str | list[str]]) -> str:
    """Return name and date of birth of an own record, as the list has them."""
    texts = [record.get(name, "") for name in _NAMES]
    words = [text if isinstance(text, str) else " ".join(text) for text in texts]
    date = record.get("date_of_birth", "")
    return ", ".join(part for part in (" ".join(filter(None, words)), str(date)) if part)


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


ReportProgress = Callable[[str, str, int, int], None]

POLL_SECONDS = 1.0
_ORDER = list(Phase)
_STEPS = ("blinded elements sent", "evaluated for others", "tokens sent")


def follow_round(
    look: Callable[[], round_views.MatcherRoundView],
    told: ReportProgress,
    until: Phase,
    pause: Callable[[float], object] = time.sleep,
) -> round_views.MatcherRoundView:
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


def report_progress(view: round_views.MatcherRoundView, told: ReportProgress) -> None:
    """Report the progress in a view: of each party the steps that are done, and the first that is not."""
    for party in view.parties:
        counts = zip(_STEPS, (party.blinded, party.evaluated, party.tokens), strict=True)
        steps = [("consent", int(party.consented), 1), *((name, count.done, count.of) for name, count in counts)]
        for name, done, of in steps:
            if of:
                told(name, party.party, done, of)
            if done < of:
                break
