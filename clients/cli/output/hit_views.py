"""Hits as a table."""

from __future__ import annotations

from aquila.interface.hits import HitEntry, HitPage
from clients.cli.output.round_views import SHORT
from clients.cli.output.screen import Table, moment, numbered

_NAMES = ("given_names", "family_names", "full_name", "date_of_birth")
_STAGES = {"follow_up": "in follow-up"}


def page_views(page: HitPage) -> list[Table | str]:
    """Return a page of hits, each with the own record."""
    rows = [
        (
            one.hit_id[:SHORT],
            one.record_id,
            _person(one),
            _known_to(one),
            one.certainty.value,
            _stage(one),
            "-" if one.due_at is None else moment(one.due_at) + (" overdue" if one.overdue else ""),
        )
        for one in page.hits
    ]
    columns = ("hit", "own record", "name, date of birth", "known to", "certainty", "stands at", "next step by")
    stages = ", ".join(f"{count} {_STAGES.get(stage, stage)}" for stage, count in sorted(page.by_stage.items()))
    shown = f"{page.offset + 1} to {page.offset + len(page.hits)} of {numbered(page.total, 'hit')}: {stages}."
    late = [f"{numbered(page.overdue, 'hit')} overdue."] if page.overdue else []
    return [Table("Hits", columns, rows), shown, *late, *(f"Problem: {problem.text}" for problem in page.problems)]


def _known_to(one: HitEntry) -> str:
    """Return the counterpart, and whose query a hit is of if it is not between lists."""
    return f"{one.counterpart} (query of {one.query.asker})" if one.query else one.counterpart


def _stage(one: HitEntry) -> str:
    words = [_STAGES.get(one.stage.value, one.stage.value)]
    words += [one.outcome.value] if one.outcome else [one.decision.value.replace("_", " ")] if one.decision else []
    return ", ".join(words)


def _person(one: HitEntry) -> str:
    texts = [one.record.get(name, "") for name in _NAMES]
    return " ".join(filter(None, (text if isinstance(text, str) else " ".join(text) for text in texts)))
