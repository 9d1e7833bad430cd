"""Use cases: a proposal that is filled in for the secretariat, after an earlier round or from a template."""

from collections.abc import Iterable
from re import compile as pattern

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.errors import InputError
from aquila.interface.rounds import RoundProposal, TemplateChoice
from aquila.protocol.messages import Kind, Manifest, PartyCap
from aquila.protocol.messages.base import LEAST_PARTIES
from aquila.protocol.messages.templates import RoundTemplate
from aquila.protocol.submissions.caps import elements_for
from services.kit.errors import NotFoundError
from services.kit.rounds import manifest_in
from services.matcher.context import MatcherContext
from services.matcher.rounds.deadlines import DAY, window_after, window_like
from services.matcher.rounds.proposals import padding_of, stated_templates, title_of_month
from services.matcher.storage.tables import ListCountRow, RoundRow

_LOOKED_AT = 200
"""The newest rounds, which are looked through for a party's last list."""
_MONTH = pattern(r"^\d{4}-\d{2} ")
_NUMBER = pattern(r" \(\d+\)$")
"""What tells rounds of one month and title apart."""


def copy_of(context: MatcherContext, round_id: str) -> RoundProposal:
    """Return the proposal of a round like an earlier one: its terms, with new deadlines and this month in its title.

    Parties that have left, and those whose pairs were with them alone, are not in it. Match rules that are not here any
    more are the default ones.
    """
    with context.round_cache.reading(round_id) as turn:
        manifest, proposed_at = turn.round.manifest, turn.row.created_at
    present = set(context.registry.present())
    pairs = tuple(pair for pair in manifest.pairs if present.issuperset(pair))
    parties = _parties_of(pairs)
    if not pairs:
        left = [one.party for one in manifest.participants if one.party not in present]
        raise InputError("participants_not_registered", parties=", ".join(left))
    ours = manifest.rules.name in context.rules
    return RoundProposal.of_fields(
        manifest,
        participants=parties,
        pairs=pairs,
        caps=tuple(cap for cap in manifest.caps if cap.party in parties),
        title=_title(context, manifest.title),
        rules=manifest.rules.name if ours else RoundProposal.model_fields["rules"].default,
        template=_same_template(context, manifest),
        window=window_like(manifest.window, proposed_at, context.clock(), context.settings.rounds.window.holidays),
    )


def from_template(context: MatcherContext, template_id: str) -> RoundProposal:
    """Return the proposal of a round from the newest version of a template, for all parties that it is for.

    A party's cap is for a list a quarter longer than its last one of the kind, rounded up to 1, 2 or 5 times a power of
    ten so that no other party reads its length there; or as the template says where no list of the kind is known.
    """
    found = [one for one in stated_templates(context) if one.template_id == template_id]
    if not found:
        raise NotFoundError("template_not_stated", template=template_id)
    template, present, now = found[-1], context.registry.present(), context.clock()
    pairs = tuple(pair for pair in template.pairs or () if set(pair) <= set(present))
    parties = present if template.pairs is None else _parties_of(pairs)
    if len(parties) < LEAST_PARTIES:
        left = sorted(set(_parties_of(template.pairs or ())).difference(present))
        raise InputError("participants_not_registered", parties=", ".join(left))
    with context.store.reading("rounds.list_sizes") as session:
        sizes = {party: _rounded_up(-(-size * 5 // 4)) for party, size in _last_lists(session, template).items()}
    padding = padding_of(context.settings.rounds)
    return RoundProposal.of_fields(
        template,
        participants=parties,
        pairs=pairs,
        title=title_of_month(context, template.title),
        caps=tuple(
            PartyCap(party=party, elements=elements_for(padding, sizes.get(party, template.records), template.queries))
            for party in parties
        ),
        window=window_after(
            now,
            [days * DAY for days in template.days.model_dump(exclude={"hour"}).values()],
            template.days.hour,
            context.settings.rounds.window.holidays,
        ),
        template=TemplateChoice(template_id=template.template_id, version=template.version),
    )


def _title(context: MatcherContext, earlier: str) -> str:
    """Return an earlier title, with this month in the place of the month that it begins with, if it begins with one."""
    words = _MONTH.sub("", earlier)
    return earlier if words == earlier else title_of_month(context, _NUMBER.sub("", words))


def _parties_of(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(sorted({party for pair in pairs for party in pair}))


def _last_lists(session: Session, template: RoundTemplate) -> dict[str, int]:
    """Return by party the records, padding included, of its last list in a round of a template or its category."""
    rounds = select(RoundRow.round_id, RoundRow.manifest).order_by(RoundRow.created_at.desc()).limit(_LOOKED_AT)
    alike = [one for one, envelope in session.execute(rounds) if _is_alike(manifest_in(envelope), template)]
    lists = select(ListCountRow.party, ListCountRow.records).order_by(ListCountRow.matched_at)
    lists = lists.where(ListCountRow.round_id.in_(alike), ListCountRow.kind == Kind.LIST.value)
    return {row.party: row.records for row in session.execute(lists)}


def _is_alike(manifest: Manifest, template: RoundTemplate) -> bool:
    named = manifest.template is not None and manifest.template.template_id == template.template_id
    return named or manifest.category == template.category


def _rounded_up(count: int) -> int:
    power: int = 10 ** (len(str(count)) - 1)
    return next(step * power for step in (1, 2, 5, 10) if step * power >= count)


def _same_template(context: MatcherContext, manifest: Manifest) -> TemplateChoice | None:
    """Return the template of an earlier round, if the registry still has it."""
    named = manifest.template
    if named is None or named not in {one.reference for one in stated_templates(context)}:
        return None
    return TemplateChoice(template_id=named.template_id, version=named.version)
