"""Hits that lie in a node's store without a round having been played: for tests of what people do with them."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import insert

from aquila.followup.lifecycle import HitLifecycle
from aquila.records.person import Record
from aquila.records.search import search_text
from services.kit.storage.store import Store
from services.node.hits.lifecycle import person_digest
from services.node.storage.tables import HitRow, HitStatusRow, ImportRow, RecordRow
from tests.support.sealing import sealed


class StoredHit(NamedTuple):
    """A hit on an own record with a party."""

    person: int
    counterpart: str
    certainty: str = "high"
    families: tuple[str, ...] = ("names", "date")
    handling: str | None = None
    indicators: str | None = None


def person(number: int) -> dict[str, str | list[str]]:
    given, family = ("Arben", "Ilir", "Besa", "Mira")[number % 4], ("Hoxha", "Kola", "Shehu", "Marku")[number // 4 % 4]
    return {
        "record_id": f"r-{number}",
        "given_names": [given],
        "family_names": [family if number < 16 else f"{family}{_letters(number)}"],
        "date_of_birth": f"19{50 + number % 50}-03-0{1 + number % 9}",
    }


def store_hits(store: Store, round_id: str, hits: Sequence[StoredHit], now: int) -> list[str]:
    """Store hits that came now, with their records in a list of its own, and return their ids."""
    life, import_id = HitLifecycle.of(now), round_id
    persons = sorted({hit.person for hit in hits})
    ids = [f"{number:032x}" for number in range(1, len(hits) + 1)]
    records = [
        {
            "import_id": import_id,
            "position": n,
            "record_id": person(n)["record_id"],
            "content": content,
            "words": search_text(Record.from_json(content)),
        }
        for n in persons
        if (content := json.dumps(person(n)).encode())
    ]
    rows = [
        {
            "round_id": round_id,
            "hit_id": hit_id,
            "import_id": import_id,
            "position": hit.person,
            "record_id": person(hit.person)["record_id"],
            "counterpart": hit.counterpart,
            "certainty": hit.certainty,
            "families": list(hit.families),
            "handling_code": hit.handling,
            "indicators": hit.indicators,
            "person": person_digest(str(hit.person), person(hit.person)),
        }
        for hit_id, hit in zip(ids, hits, strict=True)
    ]
    lives = [
        {"round_id": round_id, "hit_id": hit_id, "arrived_at": now, "stage": life.stage.value, "due_at": life.due_at}
        for hit_id in ids
    ]
    with store.transaction("test.hits") as session:
        session.add(
            ImportRow(
                import_id=import_id,
                name="stored",
                format="csv",
                records=len(records),
                refused=0,
                imported_at=now,
                complete=True,
            )
        )
        session.flush()
        session.execute(insert(RecordRow), records)
        session.execute(insert(HitRow), rows)
        session.execute(insert(HitStatusRow), lives)
        sealed(session)
    return ids


def _letters(number: int) -> str:
    """Return a number in letters, so that it is part of a name."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))
