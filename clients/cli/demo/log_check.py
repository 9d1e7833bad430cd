"""The demo's last look: the matcher's log, exported and checked by someone who trusts nobody but the pinned keys."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from aquila.crypto.backend import load_group
from aquila.errors import AuditError
from aquila.protocol.auditing import Files, LogRecord, RoundAudit, audit_rounds, read_log
from aquila.protocol.registry import read_registry
from clients.sdk.bundles import open_bundle

CHANGED = "tile/entries/000"
"""The beginning of the name of the file that a forger changes: the first entries of the log."""


class CheckedLog(NamedTuple):
    """The findings of `aquila audit verify`: the log, its rounds, and the result for a copy with one byte changed."""

    log: LogRecord
    rounds: list[RoundAudit]
    forged: str


def check_log(archive: Path, registry_file: Path) -> CheckedLog:
    """Check an exported log, and a copy of it in which one byte of one entry differs.

    Raises:
        AuditError: The log does not hold together, or the forged one does.
    """
    registry = read_registry(registry_file.read_bytes())
    files = open_bundle(str(archive))
    log = read_log(files, registry)
    rounds = audit_rounds(log, files, registry, load_group())
    try:
        read_log(_forged(files), registry)
    except AuditError as error:
        return CheckedLog(log, rounds, error.message)
    raise AuditError("changed_entry_not_noticed")


def _forged(files: Files) -> Files:
    """Return the files with one bit of the first entries changed."""

    def read(name: str) -> bytes | None:
        content = files(name)
        if content is None or not name.startswith(CHANGED):
            return content
        place = len(content) // 2
        return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]

    return read
