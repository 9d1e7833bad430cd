"""Copies of a log that leave entries out: of these the hash of the leaf alone is there (PROTOCOL.md 10.9).

A copy holds the files of the log as they are, except that in bundles an entry that is left out has the length 0, as an
erased one has. `left_out.json` says which these are.
"""

import io
import tarfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from aquila.audit import merkle
from aquila.audit.checkpoint import parse_checkpoint, parse_note
from aquila.audit.entries import LEFT_OUT_FILE, Entry, EntryKind, LeftOutEntries, read_entry
from aquila.protocol.log_entries import discloses_hits
from aquila.protocol.rounds.round_state import ReportKey
from services.kit.log.publication import CHECKPOINT_FILE
from services.kit.storage.files import ChunkFiles

_TOTALS = frozenset({EntryKind.CLOSING, EntryKind.OUTCOME, EntryKind.WITHDRAWAL, EntryKind.WITHDRAWAL_ACKNOWLEDGED})
"""Kinds whose numbers count the hits of queries together with all others."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Identity of the log that a copy is of."""

    untold: dict[str, frozenset[ReportKey]]
    """Reports of queries that their askers lack, by round: no copy tells of their hits."""
    rounds: Collection[str] | None = None
    """The rounds that it is of; all entries, those of no round too, if None."""

    def has(self, round_id: str | None) -> bool:
        """Return whether a round, or what is of none, belongs into the copy."""
        return self.rounds is None or (round_id is not None and round_id in self.rounds)

    def keeps(self, entry: Entry) -> bool:
        """Return whether an entry is in the copy with its content."""
        if entry.kind in {EntryKind.LOG_PRUNED, EntryKind.KEY_REPLACED}:
            return True  # without them nobody can tell whether retention allowed an erasure, or which key was valid
        untold = self.untold.get(entry.round or "", frozenset())
        total = bool(untold) and self.rounds is not None and entry.kind in _TOTALS
        return self.has(entry.round) and not total and not discloses_hits(entry, untold)


@dataclass(slots=True)
class _Copy:
    """A copy that is being written: where to, of what, and what was left out so far."""

    archive: tarfile.TarFile
    scope: Scope
    time: int
    indices: list[int]
    rounds: Counter[str]

    def add(self, name: str, content: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = len(content), self.time, 0o600
        self.archive.addfile(member, io.BytesIO(content))

    def add_bundle(self, files: ChunkFiles, number: int, width: int) -> None:
        """Add an entry bundle and the one of its statements, without what is left out."""
        name, said = merkle.bundle_path(number, width), merkle.statements_path(number, width)
        contents, envelopes = (
            merkle.read_bundle(files.read(name), width),
            merkle.read_statements(files.read(said), width),
        )
        for place, content in enumerate(contents):
            entry = read_entry(content) if content else None
            if entry is None or self.scope.keeps(entry):
                continue
            contents[place] = envelopes[place] = b""
            self.indices.append(number * merkle.TILE_WIDTH + place)
            if self.scope.has(entry.round) and entry.round is not None:
                self.rounds[entry.round] += 1
        self.add(name, merkle.write_bundle(contents))
        self.add(said, merkle.write_statements(envelopes))


def write_copy(files: ChunkFiles, into: BinaryIO, scope: Callable[[], Scope], time: int) -> None:
    """Write a log's files as a tar archive.

    Args:
        scope: Gives what the copy is of; asked after the files stand still, so that it knows of all that they hold.

    Raises:
        AuditError: A bundle of the log cannot be read.
    """
    with tarfile.open(fileobj=into, mode="w", format=tarfile.PAX_FORMAT) as archive:
        copy = _Copy(archive, scope(), time, [], Counter())
        size = parse_checkpoint(parse_note(files.read(CHECKPOINT_FILE)).text).size
        for number, width in merkle.bundles_of(size):
            copy.add_bundle(files, number, width)
        for name in _others(files, copy):
            copy.add(name, files.read(name))
        left_out = LeftOutEntries.of(copy.indices, copy.rounds)
        if left_out.count:
            copy.add(LEFT_OUT_FILE, left_out.to_bytes())


def _others(files: ChunkFiles, copy: _Copy) -> Iterator[str]:
    """Yield the other files of a copy: statistics of what is whole in it, and of one for a party nothing of others."""
    for name in files.names():
        folder, _, rest = name.partition("/")
        if name.startswith(("tile/entries/", "tile/statements/")):
            continue
        round_id = rest.removesuffix(".json") if folder == "statistics" else None
        if round_id is not None and (not copy.scope.has(round_id) or copy.rounds[round_id]):
            continue
        if folder != "seen" or copy.scope.rounds is None:
            yield name
