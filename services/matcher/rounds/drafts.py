"""Use cases: a proposal that is filled in for the secretariat, after an earlier round or from a template."""

import base64
import json
from itertools import pairwise
from re import compile as pattern

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.errors import InputError
from aquila.interface.rounds import RoundProposal, TemplateChoice
from aquila.protocol.messages import Kind, Manifest, PartyCap, StatementKind
from aquila.protocol.messages.base import LEAST_PARTIES
from aquila.protocol.messages.templates import RoundTemplate
from aquila.protocol.submissions.caps import elements_for
from services.kit.errors import NotFoundError
from services.matcher.context import MatcherContext
from services.matcher.rounds.deadlines import DAY, window_after
from services.matcher.rounds.proposals import padding_of, stated_templates, title_of_month
from services.matcher.storage.tables import EventRow

_LOOKED_AT = 200
"""Submissions of a party that are looked through for its last list; the others are queries."""
_MONTH = pattern(r"^\d{4}-\d{2} ")
_NUMBER = pattern(r" \(\d+\)$")
"""What tells rounds of one month and title apart."""


def copy_of(context: MatcherContext, round_id: str) -> RoundProposal:
    """Return the proposal of a round like an earlier one: its terms, with new deadlines and this month in its title.

    Parties that have left are not in it, and match rules that are not here any more are the default ones.

    Raises:
        NotFoundError: There is no such round.
        InputError: Too few of its parties are left.
    """
    with context.round_cache.reading(round_id) as turn:
        manifest, proposed_at = turn.round.manifest, turn.row.created_at
    present = set(context.registry.present())
    parties = [one.party for one in manifest.participants if one.party in present]
    pairs = tuple(pair for pair in manifest.pairs if present.issuperset(pair))
    if len(parties) < LEAST_PARTIES or not pairs:
        left = [one.party for one in manifest.participants if one.party not in present]
        raise InputError("participants_not_registered", parties=", ".join(left))
    now = context.clock()
    ours = manifest.rules.name in context.rules
    return RoundProposal.of_fields(
        manifest,
        participants=tuple(parties),
        pairs=pairs,
        caps=tuple(cap for cap in manifest.caps if cap.party in present),
        title=_title(context, manifest.title),
        rules=manifest.rules.name if ours else RoundProposal.model_fields["rules"].default,
        template=_same_template(context, manifest),
        window=window_after(now, _lengths(manifest, proposed_at), context.settings.rounds.window.hour),
    )


def from_template(context: MatcherContext, template_id: str) -> RoundProposal:
    """Return the proposal of a round from the newest version of a template, for all parties that it is for.

    A party's cap is for a list a quarter longer than its last one, or as the template says where none is known.

    Raises:
        NotFoundError: The registry in force has no such template.
        InputError: Too few of its parties are registered.
    """
    found = [one for one in stated_templates(context) if one.template_id == template_id]
    if not found:
        raise NotFoundError("template_not_stated", template=template_id)
    template, present, now = found[-1], context.registry.present(), context.clock()
    pairs = tuple(pair for pair in template.pairs or () if set(pair) <= set(present))
    parties = present if template.pairs is None else tuple(sorted({party for pair in pairs for party in pair}))
    if len(parties) < LEAST_PARTIES:
        raise InputError("participants_not_registered", parties=", ".join(_named(template) - set(present)))
    with context.store.reading("rounds.list_sizes") as session:
        sizes = {party: _last_list(session, party) for party in parties}
    padding = padding_of(context.settings.rounds)
    return RoundProposal.of_fields(
        template,
        participants=parties,
        pairs=pairs,
        title=title_of_month(context, template.title),
        caps=tuple(
            PartyCap(
                party=party, elements=elements_for(padding, -(-(size or template.records) * 5 // 4), template.queries)
            )
            for party, size in sizes.items()
        ),
        window=window_after(
            now, [days * DAY for days in template.days.model_dump(exclude={"hour"}).values()], template.days.hour
        ),
        template=TemplateChoice(template_id=template.template_id, version=template.version),
    )


def _title(context: MatcherContext, earlier: str) -> str:
    """Return an earlier title, with this month in the place of the month that it begins with, if it begins with one."""
    words = _MONTH.sub("", earlier)
    return earlier if words == earlier else title_of_month(context, _NUMBER.sub("", words))


def _named(template: RoundTemplate) -> set[str]:
    return {party for pair in template.pairs or () for party in pair}


def _last_list(session: Session, party: str) -> int | None:
    """Return the records of a party's last list that the matcher knows, padding included; None before the first."""
    query = (
        select(EventRow.envelope)
        .where(EventRow.statement == StatementKind.SUBMISSION.value, EventRow.party == party)
        .where(EventRow.envelope.is_not(None))
        .order_by(EventRow.event_id.desc())
        .limit(_LOOKED_AT)
    )
    for envelope in session.scalars(query):
        content = json.loads(envelope or "")
        # Of an erased submission the rest is kept as it is, without an envelope.
        said = json.loads(base64.b64decode(content["payload"])) if "payload" in content else content
        if said["kind"] == Kind.LIST.value:
            return int(said["records"])
    return None


def _same_template(context: MatcherContext, manifest: Manifest) -> TemplateChoice | None:
    """Return the template of an earlier round, if the registry still has it."""
    named = manifest.template
    if named is None or named not in {one.reference for one in stated_templates(context)}:
        return None
    return TemplateChoice(template_id=named.template_id, version=named.version)


def _lengths(manifest: Manifest, proposed_at: int) -> list[int]:
    """Return the seconds from the proposal of a round to its first deadline, and from each to the next."""
    moments = (proposed_at, *manifest.window.model_dump().values())
    return [max(0, after - before) for before, after in pairwise(moments)]
