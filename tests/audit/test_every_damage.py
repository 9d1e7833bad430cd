"""Every value of every kind of entry, changed by the owner of the log: the audit names it, or this module why not.

The tree is left as it was, as if the log had been written so from the beginning, and statistics follow the entries:
what finds the damage is the audit of statements and rounds alone.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aquila.audit.checkpoint import parse_note
from aquila.audit.entries import Entry, EntryKind, read_entry
from aquila.audit.statistics import statistics_of
from aquila.crypto.group import Group
from aquila.errors import AuditError
from aquila.protocol.auditing import LogRecord, audit_rounds, read_log
from aquila.protocol.auditing.log_record import ShownBy, shown_by
from tests.support.exported import Exported, exported

pytestmark = pytest.mark.no_cover  # thousands of audits, and each branch has a test that names it

Place = tuple[str, ...]

OWNERS_WORD = {
    ("time",): "within the deadlines of the round and the cosignatures around it the time is the owner's word",
    ("salt",): "any salt is as good as another, and the tree holds the one that there is",
}
"""What no audit can hold against anything in an entry of any kind."""


UNSHOWN = frozenset({ShownBy.NOBODY, ShownBy.RECOMPUTATION})
"""What such entries state is the owner's word, but for the digests of what was approved."""


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    if isinstance(value, dict) and value:
        for name, one in value.items():
            yield from leaves(one, (*place, name))
    else:
        yield place, value


def changed(content: dict[str, Any], place: Place, value: Any) -> Entry | None:
    copy = json.loads(json.dumps(content))
    inner = copy
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    try:
        return read_entry(json.dumps(copy, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
    except AuditError:
        return None


def others(value: Any) -> list[Any]:
    if isinstance(value, int):
        return [value + 1]
    if isinstance(value, str) and len(value) in {32, 64}:
        return [value[:-1] + ("0" if value[-1] != "0" else "1")]
    return [
        "SI",
        "AL",
        "matcher",
        "p-0123456789ab",
        "officer",
        "high",
        "a" * 32,
        {"x": 1},
        {"x": "a" * 64},
        {"x": "AL"},
    ]


class Audit:
    def __init__(self, log: Exported, group: Group) -> None:
        self.log, self.group = log, group
        self.record = read_log(log.files.get, log.registry)
        self.points = self.open_points(self.record)

    def open_points(self, record: LogRecord) -> list[str]:
        """Audit a log, and return what is not proven."""
        record = replace(record, unproven=[])

        def files(name: str) -> bytes | None:
            round_id = name.removeprefix("statistics/").removesuffix(".json")
            of = [entry for entry in record.entries if entry is not None and entry.round == round_id]
            return statistics_of(round_id, of).to_bytes()

        rounds = audit_rounds(record, files, self.log.registry, self.group)
        return [repr(one) for one in [*record.unproven, *(one for audit in rounds for one in audit.unproven)]]

    def notices(self, index: int, entry: Entry) -> bool:
        """Return whether an audit names an entry at a place, or says more than before that something is not proven."""
        there = list(self.record.entries)
        there[index] = entry
        try:
            return self.open_points(replace(self.record, entries=there)) != self.points
        except AuditError:
            return True


@pytest.mark.parametrize("holder", [pytest.param("matcher", marks=pytest.mark.more_rounds), "SI"])
def test_every_value_of_every_kind_of_entry(audited: Path, group: Group, holder: str) -> None:
    audit = Audit(exported(audited, holder), group)
    seen: set[EntryKind] = set()
    unnoticed: set[tuple[EntryKind, Place]] = set()
    for index, entry in enumerate(audit.record.entries):
        assert entry is not None
        if entry.kind in seen:
            continue
        seen.add(entry.kind)
        content = json.loads(entry.content())
        assert changed(content, ("log",), "aquila-log/2") is None
        for place, value in leaves(content):
            for other in others(value):
                damaged = changed(content, place, other)
                if damaged is not None and damaged != entry and not audit.notices(index, damaged):
                    unnoticed.add((entry.kind, place))
    left = {(kind, place) for kind, place in unnoticed if place not in OWNERS_WORD and shown_by(kind) not in UNSHOWN}
    if holder == "matcher":
        # The number of a batch orders a party's batches for its receiver, whose confirmation does not name it.
        assert left == {(EntryKind.DISCLOSURE, ("counts", "batch"))}
    else:
        # Reports and notes have no envelope: of a node's log they are held against the matcher's (`compare`).
        assert {kind for kind, _ in left} == {EntryKind.DISCLOSURE, EntryKind.REPORT}


PLACES = 5
"""At how many places a file is damaged at least, or at each byte of a shorter one: all of them would take minutes."""


def test_bytes_of_every_file(audited: Path, group: Group) -> None:
    """A bit of a byte, at many places of every file: the audit names the file or the entry.

    A line of a signature whose name or key it does not know says nothing to it (C2SP signed-note): that cosignature is
    lost. Of what the log has seen of others it reads the signature of these, and not the cosignature beneath.
    """
    log = exported(audited, "matcher")
    for name, content in log.files.items():
        for place in range(0, len(content), max(1, len(content) // PLACES)):
            octet = content[place] ^ 1 << place % 8
            damaged = content[:place] + bytes([octet]) + content[place + 1 :]
            files = log.files | {name: damaged}
            try:
                audit_rounds(read_log(files.get, log.registry), files.get, log.registry, group)
            except AuditError:
                continue
            assert signers(damaged) - signers(content) or name.startswith("seen/"), name


def signers(note: bytes) -> set[tuple[str, bytes]]:
    return {(line.name, line.key_id) for line in parse_note(note).signatures}
