"""`aquila round safeguards` and `aquila round release`: what guards against fishing in a round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from clients.cli.options import Ca, HomePath, Json, RoundId, Url
from clients.cli.output.screen import Screen, Table, moment, numbered

if TYPE_CHECKING:
    from aquila.interface.safeguard import CanaryView, FishingAlarmView, Safeguards

SHORT = 8
_THOUSANDTHS = 1_000

Query = Annotated[str, typer.Argument(metavar="QUERY", help="The query's id, its beginning, or `latest`.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it stays with your party. No name of a person.")]


def safeguards(round_id: RoundId, home: HomePath, url: Url = None, ca: Ca = None, as_json: Json = False) -> None:
    """Show evaluations made for others, withheld reports, alarms, and the results of canaries (party)."""
    from clients.cli.connect import connect

    with connect(home, url, None, ca) as reached:
        found = reached.node().safeguards(reached.round_id(round_id))
    Screen(as_json).result(found.model_dump(mode="json"), *tables(found))


def release(
    round_id: RoundId, query: Query, home: HomePath, url: Url = None, ca: Ca = None, as_json: Json = False
) -> None:
    """Release the report of a query with far more hits than sizes explain (party)."""
    from clients.cli.connect import connect, resolve_id

    with connect(home, url, None, ca) as reached:
        node, in_round = reached.node(), reached.round_id(round_id)
        waiting = [alarm.submission_id for alarm in node.safeguards(in_round).alarms if _waits(alarm)]
        submission_id = resolve_id("query", query, waiting)
        node.release(in_round, submission_id)
    document = {"round_id": in_round, "submission_id": submission_id}
    Screen(as_json).result(document, f"The report of query {submission_id[:SHORT]} is released to its asker.")


def refuse_answer(
    round_id: RoundId, query: Query, reason: Why, home: HomePath, url: Url = None, ca: Ca = None, as_json: Json = False
) -> None:  # fmt: skip
    """Refuse this party's answer to such a query: its asker is informed, and the round goes on (party)."""
    from clients.cli.connect import connect, resolve_id

    with connect(home, url, None, ca) as reached:
        node, in_round = reached.node(), reached.round_id(round_id)
        waiting = [alarm.submission_id for alarm in node.safeguards(in_round).alarms if _waits(alarm)]
        submission_id = resolve_id("query", query, waiting)
        node.refuse_answer(in_round, submission_id, reason)
    document = {"round_id": in_round, "submission_id": submission_id}
    Screen(as_json).result(document, f"The answer to query {submission_id[:SHORT]} is refused; the round goes on.")


def _waits(alarm: FishingAlarmView) -> bool:
    return alarm.released_at is None and alarm.refused_at is None


def tables(found: Safeguards) -> list[Table | str]:
    """Return the safeguards against fishing as tables and sentences."""
    rows = [
        (
            one.origin, one.input_class.value, f"{one.in_round:,} of {one.round_cap:,}",
            f"{one.in_day:,} of {one.day_cap:,}", f"{one.in_window:,} of {one.window_cap:,}", one.window_rounds,
        )
        for one in found.spent
    ]  # fmt: skip
    days = found.spent[0].window_days if found.spent else 0
    columns = ("for", "class", "in this round", "today", f"in {days} days", "rounds")
    views: list[Table | str] = [Table("Elements evaluated, and the caps", columns, rows)]
    views += earlier(found)
    views.append(
        f"Held back of the own lists: {numbered(found.held_back, 'value')} that more than "
        f"{found.frequency_limit} records share, or as many as their rule allows."
    )
    views += [_canary(one) for one in found.canaries]
    if found.canaries:
        views.append(
            "A matcher that looks can tell planted hits from others, and hide hits while all planted ones are met."
        )
    return [*views, *(_alarm(one) for one in found.alarms)]


def earlier(found: Safeguards) -> list[Table | str]:
    """Return the evaluations of earlier rounds between the same parties, and what their answers give when compared."""
    if not found.earlier_rounds:
        return ["This node knows of no earlier round between these parties."]
    rows = [
        (
            one.round_id[:SHORT], "not known here" if one.came_at is None else moment(one.came_at), spent.evaluator,
            spent.origin, spent.full, spent.partial,
        )
        for one in found.earlier_rounds
        for spent in one.spent
    ]  # fmt: skip
    columns = ("round", "proposed", "evaluated by", "for", "full", "partial")
    counted = numbered(len(found.earlier_rounds) + found.earlier_left_out, "earlier round")
    newest = f" The newest {len(found.earlier_rounds)} are shown." if found.earlier_left_out else ""
    sentence = f"The parties evaluated for one another in {counted}.{newest} {found.earlier_sentence}"
    return [Table("Earlier rounds between these parties", columns, rows), sentence]


def _canary(one: CanaryView) -> str:
    if not one.judged:
        return f"Planted hits with {one.counterpart}: the other side has not told of them yet."
    if one.missing or one.wrong or one.differing:
        return (
            f"Planted hits with {one.counterpart}: {one.missing} of {one.expected} are missing, {one.wrong} are wrong."
        )
    if not one.expected:
        return f"Planted hits with {one.counterpart}: no planted hit had to be met, so they show nothing."
    return f"Planted hits with {one.counterpart}: all {one.expected} were met."


def _alarm(one: FishingAlarmView) -> str:
    state = "held back"
    if one.released_at is not None:
        state = f"released by {one.released_by}"
    elif one.refused_at is not None:
        state = f"answer refused by {one.refused_by}: {one.refused_because}"
    why = ""
    if one.justification is not None:
        said = one.justification
        why = f" Asked for {said.purpose}, case {said.case_reference}, on {said.legal_basis}."
    return (
        f"Alarm: query {one.submission_id[:SHORT]} of {one.asker} hit {one.hits} records, where "
        f"{one.expected / _THOUSANDTHS:.1f} are explained; {state}.{why}"
    )
