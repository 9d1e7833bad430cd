"""Hits, their histories and letters as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila.matching.certainty import CENTIBITS
from aquila.matching.weights import WeightKind
from aquila.protocol.messages import Kind
from clients.cli.output.round_views import SHORT, factor
from clients.cli.output.rule_views import by_chance
from clients.cli.output.screen import Table, moment, numbered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila.interface.hits import HitEntry, HitPage, HitView, StepView, WithdrawalView
    from aquila.interface.statistics import RoundStatistics, Statistics

_NAMES = ("given_names", "family_names", "full_name", "date_of_birth")
_LEAST = 0.1
_AND_ABOVE = {"high": "high", "medium": "high and medium", "low": "all"}
_KINDS = {Kind.LIST: "lists", Kind.QUERY: "queries"}
_STAGES = {"follow_up": "in follow-up"}


def page_views(page: HitPage) -> list[Table | str]:
    """Return a page of hits, each with the own record."""
    rows = [
        (
            one.hit_id[:SHORT], one.record_id, _person(one), _known_to(one), one.certainty.value, _stage(one),
            "-" if one.due_at is None else moment(one.due_at) + (" overdue" if one.overdue else ""),
        )
        for one in page.hits
    ]  # fmt: skip
    columns = ("hit", "own record", "name, date of birth", "known to", "certainty", "stands at", "next step by")
    stages = ", ".join(f"{count} {_STAGES.get(stage, stage)}" for stage, count in sorted(page.by_stage.items()))
    shown = f"{page.offset + 1} to {page.offset + len(page.hits)} of {numbered(page.total, 'hit')}: {stages}."
    late = [f"{numbered(page.overdue, 'hit')} overdue."] if page.overdue else []
    return [Table("Hits", columns, rows), shown, *late]


def hit_tables(view: HitView) -> list[Table | str]:
    """Return all that is known of one hit, and nothing of the other side."""
    one = view.entry
    rows = [
        ("hit", one.hit_id),
        ("round", one.round_id),
        ("own record", f"{one.record_id}: {_person(one)}"),
        ("known to", one.counterpart),
        *_query(one),
        ("certainty", one.certainty.value),
        ("why", "; ".join(view.sentences)),
        ("differs or unknown", "; ".join(_differing(view)) or "-"),
        ("how rare", "; ".join(_rarity(view)) or "-"),
        ("by chance", _chance(view)),
        ("stands at", _stage(one)),
        ("next step by", "-" if one.due_at is None else moment(one.due_at) + (" (overdue)" if one.overdue else "")),
        ("follow-up", _follow_up(view)),
        ("handling code", view.handling_code or "-"),
        ("possible now", ", ".join(kind.value for kind in view.possible) or "-"),
    ]
    tables: list[Table | str] = [Table(f"Hit {one.hit_id[:SHORT]}", ("", ""), rows)]
    if view.history:
        tables.append(Table("Done so far", ("when", "who", "what", "as"), [step_row(step) for step in view.history]))
    tables += [withdrawal_sentence(found) for found in view.withdrawals]
    if view.blocked_by:
        tables.append(f"{view.blocked_by} blocks an export until a permission is recorded (`aquila hit permit`).")
    return tables


def statistics_views(content: Statistics) -> list[Table | str]:
    """Return the latest round of each category, and all rounds, each by itself."""
    views: list[Table | str] = []
    for one in content.rounds:
        if one.round_id in content.latest:
            views += _picture(one)
    rows = [_round(one) for one in content.rounds]
    columns = ("round", "phase", "category", "lists", "queries", "hits of lists", "hits of queries")
    return [*views, Table("Rounds, each by itself: they repeat lists", columns, rows), _rule(content)]


def _picture(one: RoundStatistics) -> Iterator[Table]:
    """Yield the regional picture of a round: hits by pair, and persons."""
    of = f"{one.category}, round {one.round_id[:SHORT]}"
    columns = ("pair", "high", "high and medium", "all")
    for table in one.hits:
        rows = [
            (f"{pair.left}-{pair.right}", pair.hits.high, pair.hits.high_and_medium, pair.hits.all)
            for pair in table.pairs
        ]
        total = ("all", table.hits.high, table.hits.high_and_medium, table.hits.all)
        yield Table(f"Hits of {_KINDS[table.kind]}: {of}", columns, [*rows, total])
    persons = [(known.parties, _AND_ABOVE[known.certainty], known.persons) for known in one.known]
    yield Table(f"Persons by parties that know them: {of}", ("parties", "certainty", "persons"), persons)


def _round(one: RoundStatistics) -> tuple[object, ...]:
    lists, queries = (sum(sent.kind is kind for sent in one.lists) for kind in (Kind.LIST, Kind.QUERY))
    hits = (table.hits.all if (table := one.table(kind)) else "-" for kind in (Kind.LIST, Kind.QUERY))
    return (one.round_id[:SHORT], one.phase, one.category, lists, queries, *hits)


def _rule(content: Statistics) -> str:
    base = content.base
    return (
        f"Numbers are rounded up or down to multiples of {base}; 1-4 is a number from 1 to 4, <5 what is below {base} "
        "once rounded. Totals add up rounded numbers. A round's numbers are published when it has ended."
    )


def _known_to(one: HitEntry) -> str:
    """Return the counterpart, and whose query a hit is of if it is not between lists."""
    return f"{one.counterpart} (query of {one.query.asker})" if one.query else one.counterpart


def _query(one: HitEntry) -> list[tuple[str, str]]:
    """Return the lines on the query that a hit comes from; none of a hit between lists."""
    if one.query is None:
        return []
    why = one.query.reason
    said = f"case {why.case_reference}: {why.purpose} ({why.urgency or 'normal'})" if why else "its reason is erased"
    return [("from a query of", f"{one.query.asker}, {said}")]


def _stage(one: HitEntry) -> str:
    words = [_STAGES.get(one.stage.value, one.stage.value)]
    words += [one.outcome.value] if one.outcome else [one.decision.value.replace("_", " ")] if one.decision else []
    return ", ".join(words)


def _person(one: HitEntry) -> str:
    texts = [one.record.get(name, "") for name in _NAMES]
    return " ".join(filter(None, (text if isinstance(text, str) else " ".join(text) for text in texts)))


def _follow_up(view: HitView) -> str:
    if view.channel is None:
        return "-"
    urgency = view.urgency.value if view.urgency else ""
    return f"{view.channel.value} {view.reference or '(no number yet)'}, {urgency}"


def _differing(view: HitView) -> Iterator[str]:
    """Yield the differences, and the attributes that are not known."""
    for one in view.weights:
        if one.kind is WeightKind.MISSING:
            yield f"nothing agrees: {one.sentence}"
        elif one.differs:
            yield one.differs


def _rarity(view: HitView) -> Iterator[str]:
    """Yield how often two persons agree so, and how usual the own record's names are in its list."""
    if view.strangers_centibits is not None:
        yield f"two persons agree in just this way at most {by_chance(view.strangers_centibits / CENTIBITS)}"
    for one in view.own_names:
        yield f"{one.name}: so, or sounding alike, in {one.records:,} of the {view.own_records:,} records of your list"


def _chance(view: HitView) -> str:
    if view.chance is None:
        return "-"
    alike = f"{numbered(view.chance.hits, 'hit')} of this level with {view.entry.counterpart}"
    expected = view.chance.expected / 1_000
    so_many = "fewer than 0.1" if expected < _LEAST else f"about {expected:.1f}"
    moved = view.chance.drift_centibits
    near = f"; planted hits can move its odds by a factor of {factor(moved)} from round to round" if moved else ""
    return f"of {alike}, chance alone would give {so_many}{near}"


def step_row(step: StepView) -> tuple[str, str, str, str]:
    """Return a step as a row: when, who, what, as what."""
    details = filter(None, (step.value.replace("_", " "), step.reference, step.urgency and step.urgency.value))
    return moment(step.at), step.person, step.kind.value, ", ".join((*details, *([step.remark] if step.remark else [])))


def withdrawal_sentence(found: WithdrawalView) -> str:
    """Return a withdrawal in a sentence."""
    late = ", after the 48 hours" if found.late else ""
    when = f" ({moment(found.acknowledged_at)})" if found.acknowledged_at else ""
    return f"Withdrawn by {found.by} as {found.ground.value.replace('_', ' ')}{late}; {found.state.value}{when}."
