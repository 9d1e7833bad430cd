"""Views of the sealed exchange of a hit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aquila.interface.rounds import ExchangeView, IntelligenceView, NoteView
from aquila.interface.sentence import SentenceView
from aquila.matching.certainty import strongest_parts
from aquila.matching.corroboration import corroboration_table
from aquila.protocol.messages import Fault
from aquila.records.rules import Part, Rule, RuleTable
from aquila.sentences import Sentence
from services.node.hits.notes import CONFIRMED, REFUTED, state_of
from services.node.storage.tables import ExchangeRow


def exchange_view(row: ExchangeRow | None, record: Mapping[str, Any], table: RuleTable) -> ExchangeView:
    """Return the part of a hit's exchange that a person may see.

    Args:
        row: The exchange, or None where none has begun.
        record: The own record's fields.
        table: The round's match rules.
    """
    state = state_of(row)
    shown = row if state == CONFIRMED else None
    met = _met(shown, table)
    note = _note(shown.note) if shown is not None and shown.note else None
    return ExchangeView(
        state=state,
        sentence=SentenceView.of(_sentence(row, state)),
        blamed_by=row.blamed_by if row else None,
        reference=row.reference if row else None,
        rules=tuple(rule.sentence for rule in met),
        parts=tuple(tuple(part.name for part in rule.parts) for rule in met),
        note=note,
        intelligence=_intelligence(record, note) if note else None,
    )


def _sentence(row: ExchangeRow | None, state: str) -> Sentence:
    if row is None:
        return Sentence.of("neither_note_verified")
    if state == REFUTED:
        return Fault(row.fault or "").sentence
    if state == CONFIRMED:
        return Sentence.of("both_notes_verified")
    if row.verified:
        return Sentence.of("own_note_not_verified")
    return Sentence.of("note_awaited" if row.accepted else "neither_note_verified")


def why(families: Sequence[str], row: ExchangeRow | None, table: RuleTable) -> tuple[str, ...]:
    """Return why two records hit, in words: of a confirmed hit what agrees in each family, else which families do.

    Args:
        families: The evidence families of the report, the strongest first.
        row: The exchange, or None where none has begun.
        table: The round's match rules.
    """
    words = dict(table.families)
    agreeing = tuple(part.sentence for part in agreeing_parts(row, table))
    return agreeing or tuple(words.get(name, name) for name in families)


def agreeing_parts(row: ExchangeRow | None, table: RuleTable) -> tuple[Part, ...]:
    """Return the part of each family that agrees most strongly, of a confirmed hit; of others nothing is known."""
    return strongest_parts(_met(row, table)) if state_of(row) == CONFIRMED else ()


def _met(row: ExchangeRow | None, table: RuleTable) -> tuple[Rule, ...]:
    numbers = set(row.rules or ()) if row else set()
    return tuple(rule for rule in table.rules if rule.number in numbers)


def _note(content: Mapping[str, str | None]) -> NoteView:
    codes = content["source_evaluation"], content["information_evaluation"]
    return NoteView(
        evaluation=_evaluation(*codes) or "",
        handling_code=content["handling_code"],
        category=content["category"],
        reference=content["reference"],
        contact=content["contact"],
    )


def _evaluation(source: str | None, information: str | None) -> str | None:
    return source + information if source and information else None


def _intelligence(record: Mapping[str, Any], note: NoteView) -> IntelligenceView:
    table = corroboration_table()
    own = _evaluation(record.get("source_evaluation"), record.get("information_evaluation"))
    found = table.apply(own, note.evaluation or None)
    return IntelligenceView(
        before=found.before, after=found.after, sentence=found.sentence, assumption=table.assumption
    )
