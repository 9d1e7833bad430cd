"""Verifying a backup without writing anything: its seal, its signature, its rows, and the log that it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO

from aquila.audit.checkpoint import open_checkpoint
from aquila.audit.merkle import Frontier, leaf_hash
from aquila.audit.witness import log_name
from aquila.crypto.keys import SealingKey
from aquila.errors import AuditError, InputError
from services.kit.administration.backup.archive import Counts, Head, HomeFile, Row, TableHead, read_archive
from services.kit.administration.backup.home_files import check_name
from services.kit.administration.backup.services import BackedService
from services.kit.storage.migrate import known_revisions


@dataclass(frozen=True, slots=True)
class BackupCheck:
    """A backup that was verified to its end: its head, the rows of each table, and its files by name."""

    head: Head
    rows: dict[str, int]
    files: dict[str, bytes]


@dataclass(slots=True)
class LogVerification:
    """Follows the rows of a log as they pass: each entry is its leaf, and each checkpoint its root."""

    head: Head
    roots: dict[int, bytes] = field(default_factory=dict)
    edge: Frontier = field(default_factory=Frontier)

    def check_row(self, row: Row) -> None:
        """Take a row of any table.

        Raises:
            AuditError: The log does not hold together.
        """
        if row.table == "log_checkpoint":
            keys = self.head.keys
            checkpoint, _ = open_checkpoint(row.values["note"], log_name(self.head.party, keys[0]), *keys)
            self.roots[checkpoint.size] = checkpoint.root
        elif row.table == "log_entry":
            leaf, content = row.values["leaf_hash"], row.values["content"]
            if row.values["index"] != self.edge.size or (content is not None and leaf_hash(content) != leaf):
                raise AuditError("backup_log_entry_differs", index=self.edge.size)
            self.edge.append(leaf)
            if self.roots.pop(self.edge.size, self.edge.root) != self.edge.root:
                raise AuditError("backup_log_root_differs", size=self.edge.size)

    def finish(self) -> None:
        """Compare the whole log with the head.

        Raises:
            AuditError: A checkpoint covers more than the log has, or the head names another log.
        """
        root = self.edge.root.hex() if self.edge.size else ""
        if self.roots or self.edge.size != self.head.log_size or root != self.head.log_root:
            raise AuditError("backup_log_root_differs", size=self.edge.size)


def check(service: BackedService, source: BinaryIO, key: SealingKey) -> BackupCheck:
    """Verify a backup to its end, and write nothing.

    Raises:
        SealError: It does not open: another key, changed, or cut.
        SignatureError: The service that it names did not sign it.
        InputError: It is no backup, of another service, or of a later release.
        AuditError: Its log does not hold together.
    """
    lines = read_archive(source, key)
    head = next(lines)
    assert isinstance(head, Head)
    check_head(service, head)
    log, files, rows = LogVerification(head), {}, {}
    for line in lines:
        match line:
            case Row():
                log.check_row(line)
            case HomeFile():
                check_name(line.file)
                files[line.file] = line.octets()
            case Counts():
                rows = line.rows
            case Head() | TableHead():
                pass
    log.finish()
    return BackupCheck(head, rows, files)


def check_head(service: BackedService, head: Head) -> None:
    """Refuse a backup of another service, or of a release that this one does not know.

    Raises:
        InputError: It is one.
    """
    if head.service != service.name:
        raise InputError("backup_of_another_service", expected=service.name, got=head.service)
    if head.revision not in known_revisions(service.package):
        raise InputError("backup_of_later_release", release=head.release)
