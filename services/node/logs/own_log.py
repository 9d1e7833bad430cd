"""The node's log: put together, and the statements that its entries are about (PROTOCOL.md section 10)."""

from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry
from aquila.protocol.log_entries import REFUSED, WITHOUT_ENVELOPE
from aquila.protocol.messages import LogHead
from aquila.protocol.party import Party
from aquila.protocol.registry import MATCHER, Registry
from services.kit.home_folder import LOG_FOLDER
from services.kit.log.publication import OwnLog
from services.kit.log.witness import Witness
from services.kit.log_access.use_cases import LogUseCases
from services.kit.storage.files import ChunkFiles
from services.kit.storage.store import Store
from services.node.logs import checks
from services.node.storage.tables import StatementRow

_AT_ONCE = 500


def open_log(home: Path, store: Store, party: Party, registry: Registry, clock: Callable[[], int]) -> LogUseCases:
    """Put the node's log together, with nothing running yet; raises StoreError if the folder cannot be made."""
    files = ChunkFiles(home / LOG_FOLDER)
    own = OwnLog(store, files, party.code, party.identity, registry, clock, statements_of, _no_statistics)
    witness = Witness(store, files, party.code, party.identity, registry, clock, _explained)
    return LogUseCases(own, witness)


def seen_head(witness: Witness) -> LogHead | None:
    """Return the newest matcher checkpoint that this node saw, as its statements name it (PROTOCOL.md 3.2.5)."""
    seen = witness.latest(MATCHER)
    return None if seen is None or not seen.size else LogHead(size=seen.size, root=seen.root.hex())


def _explained(session: Session, now: int, what: str) -> None:
    """Hold nothing against the matcher's log that came up before an administrator acknowledged an alarm over it."""
    checks.explain_heads(session, now)
    checks.excuse_promises(session, lost=what == "shrunk")
    if what in {"shrunk", "fork"}:
        checks.judge_again(session)


def statements_of(session: Session, entries: Sequence[Entry]) -> list[bytes | None]:
    """Return the envelopes of this node's own statements that entries are about.

    The matcher's reports are not among them: they hold handles of records; nor are sealed notes.
    """
    said = [(entry.round or "", entry.digests["statement"]) for entry in entries if _is_own(entry)]
    envelopes: dict[str, bytes] = {}
    for first in range(0, len(said), _AT_ONCE):
        some = said[first : first + _AT_ONCE]
        # With their rounds: rows are found by round and digest.
        rounds = StatementRow.round_id.in_({round_id for round_id, _ in some})
        digests = StatementRow.digest.in_([digest for _, digest in some])
        query = select(StatementRow.digest, StatementRow.envelope).where(rounds, digests)
        envelopes |= dict(session.execute(query).all())
    return [envelopes.get(entry.digests["statement"]) if _is_own(entry) else None for entry in entries]


def _is_own(entry: Entry) -> bool:
    return "statement" in entry.digests and entry.kind not in WITHOUT_ENVELOPE | REFUSED


def _no_statistics(_session: Session, _round_id: str) -> None:
    """A node publishes no statistics: the matcher's log has what all parties did."""
