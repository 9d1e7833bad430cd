"""Own persons behind hits: which hits of several rounds and parties are about one record that has stayed the same."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from sqlalchemy import select

from aquila.followup.lifecycle import Decision, Stage
from aquila.protocol.encoding import framed
from services.node.storage.tables import HitRow, HitStatusRow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy.orm import Session

_IDENTITY = ("given_names", "family_names", "full_name", "date_of_birth")


def person_digest(record_id: str, record: Mapping[str, object]) -> str:
    """Return the digest of an own record's number, names and date of birth.

    The number alone does not identify a person: a list may number its rows, and then another person has the number in
    the next one. The digest is as personal as the record, and is erased with its hit.

    Args:
        record_id: The party's own identifier of the record.
        record: Its fields, as stored.
    """
    identity = [record_id, *(record.get(name) for name in _IDENTITY)]
    content = json.dumps(identity, ensure_ascii=False, separators=(",", ":")).encode()
    return hashlib.sha256(framed("aquila/1 own person", content)).hexdigest()


def known_to(session: Session, persons: Collection[str | None]) -> dict[str, tuple[str, ...]]:
    """Return the parties that have a hit on each of these own persons, in any round; one query for all of them.

    Hits that were withdrawn, or decided to be about another person, do not count.
    """
    wanted = sorted({person for person in persons if person is not None})
    query = (
        select(HitRow.person, HitRow.counterpart)
        .join(HitStatusRow, (HitStatusRow.round_id == HitRow.round_id) & (HitStatusRow.hit_id == HitRow.hit_id))
        .where(
            HitRow.person.in_(wanted),
            HitStatusRow.stage != Stage.WITHDRAWN.value,
            HitStatusRow.decision.is_distinct_from(Decision.OTHER.value),
        )
        .distinct()
        .order_by(HitRow.person, HitRow.counterpart)
    )
    found: dict[str, tuple[str, ...]] = {}
    for person, party in session.execute(query) if wanted else ():
        found[str(person)] = (*found.get(str(person), ()), party)
    return found
