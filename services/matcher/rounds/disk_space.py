"""Room on the disk: what rounds have reserved, and whether another round or another consent fits (PROTOCOL.md 3.1.4).

A party's consent reserves what its lists may take. A round in which everybody consented cannot fill the disk: its caps
bound elements and tokens, and the quota bounds evaluations, which are deleted as their origins acknowledge them.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.errors import PolicyError
from aquila.protocol.matcher import disk_bytes
from aquila.protocol.messages import Manifest, StatementKind
from aquila.protocol.rounds.verified_round import Round
from services.kit.errors import StoreFullError
from services.kit.rounds import manifest_in
from services.kit.settings import MEBIBYTE
from services.matcher.context import MatcherContext
from services.matcher.storage.tables import ChunkRow, EventRow, RoundRow


def check_disk_space(context: MatcherContext, manifest: Manifest) -> None:
    """Refuse a proposal whose caps may take more than the disk has left after what other rounds have reserved."""
    quota = context.settings.quotas.evaluation_bytes
    needed = disk_bytes(manifest, quota)
    with context.store.reading("rounds.reserved") as session:
        free = unreserved_bytes(context, session)
    if needed > free:
        raise PolicyError(
            "caps_exceed_free_disk", expected=free, got=needed, needed=needed // MEBIBYTE, free=free // MEBIBYTE
        )


def check_room_for_consent(context: MatcherContext, session: Session, round_: Round, party: str) -> None:
    """Refuse a consent that was just taken, until there is room, if the disk has none for all that is reserved.

    Args:
        session: The transaction that stores it; there is one at a time, so that nobody reserves the same room.
    """
    quota = context.settings.quotas.evaluation_bytes
    if reserved_bytes(session, quota) > context.files.free_space():
        others = round_.consents.keys() - {party}
        needed = disk_bytes(round_.manifest, quota, round_.consents) - disk_bytes(round_.manifest, quota, others)
        raise StoreFullError("consent_exceeds_free_disk", round=round_.round_id, needed=needed // MEBIBYTE)


def bytes_to_reserve(round_: Round, evaluation_bytes: int) -> int:
    """Return the bytes that a round will reserve in addition when all have consented of whom it waits for an answer."""
    parties = [one.party for one in round_.manifest.participants if one.party not in round_.refusals]
    now = disk_bytes(round_.manifest, evaluation_bytes, round_.consents)
    return disk_bytes(round_.manifest, evaluation_bytes, parties) - now


def unreserved_bytes(context: MatcherContext, session: Session) -> int:
    """Return the bytes of the disk that no round has reserved."""
    return max(0, context.files.free_space() - reserved_bytes(session, context.settings.quotas.evaluation_bytes))


def reserved_bytes(session: Session, evaluation_bytes: int) -> int:
    """Return the bytes that open rounds may still take for those who consented, in addition to what they have taken."""
    is_open = RoundRow.ended_at.is_(None)
    going = select(RoundRow.round_id).where(is_open)  # without the chunks of earlier rounds, whose rows stay
    taken = (
        select(ChunkRow.round_id, func.sum(ChunkRow.size).label("bytes"))
        .where(ChunkRow.round_id.in_(going), ChunkRow.deleted_at.is_(None))
        .group_by(ChunkRow.round_id)
        .subquery()
    )
    rounds = select(RoundRow.round_id, RoundRow.manifest, taken.c.bytes).outerjoin(
        taken, taken.c.round_id == RoundRow.round_id
    )
    # As the index has it: nobody alone reads a consent.
    consents = (
        select(EventRow.round_id, EventRow.party)
        .where(EventRow.reader.is_(None), EventRow.statement == StatementKind.CONSENT.value)
        .join(RoundRow, RoundRow.round_id == EventRow.round_id)
        .where(is_open)
    )
    consented: dict[str, set[str]] = {}
    for round_id, party in session.execute(consents):
        consented.setdefault(round_id, set()).add(party)
    return sum(
        max(0, disk_bytes(manifest_in(manifest), evaluation_bytes, consented[round_id]) - int(used or 0))
        for round_id, manifest, used in session.execute(rounds.where(is_open))
        if round_id in consented
    )
