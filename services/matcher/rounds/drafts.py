"""Use case: a proposal that is filled in for the secretariat, after an earlier round."""

from datetime import UTC, datetime
from itertools import pairwise
from re import compile as pattern

from aquila.errors import InputError
from aquila.interface.rounds import RoundProposal
from aquila.protocol.messages import Manifest
from aquila.protocol.messages.base import LEAST_PARTIES
from services.matcher.context import MatcherContext
from services.matcher.rounds.deadlines import window_after

_MONTH = pattern(r"^\d{4}-\d{2}(?= )")


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
        title=this_month(manifest.title, now),
        rules=manifest.rules.name if ours else RoundProposal.model_fields["rules"].default,
        window=window_after(now, _lengths(manifest, proposed_at), context.settings.rounds.window.hour),
    )


def this_month(title: str, now: int) -> str:
    """Return a title with this month in the place of the month that it begins with, if it begins with one."""
    return _MONTH.sub(f"{datetime.fromtimestamp(now, UTC):%Y-%m}", title)


def _lengths(manifest: Manifest, proposed_at: int) -> list[int]:
    """Return the seconds from the proposal of a round to its first deadline, and from each to the next."""
    moments = (proposed_at, *manifest.window.model_dump().values())
    return [max(0, after - before) for before, after in pairwise(moments)]
