"""A plugin of pytest that records every exported log that a test audits, and what our auditor found.

`pytest -p tests.interop.recording --record-logs FOLDER ...` leaves for each log FOLDER/<name>.json: its files by name,
each as the digest of a file in FOLDER/blobs; the registry; and the verdict. It is loaded before any test module is
imported, so that whoever asks for the functions of the auditor gets those that record.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aquila.crypto.group import Group
from aquila.errors import AuditError
from aquila.protocol import auditing
from aquila.protocol.auditing import LogRecord, RoundAudit, UnprovenClaim
from aquila.protocol.auditing.log_files import LEAST_RETENTION_DAYS, Files
from aquila.protocol.registry import MATCHER, Registry, write_registry

_read_log, _audit_rounds, _compare = auditing.read_log, auditing.audit_rounds, auditing.compare
_folder: list[Path] = []
_open: list[tuple[LogRecord, list[object], Mapping[str, bytes], Registry]] = []
"""The log that was read last, as it was then: an audit of its rounds may follow."""
_read: list[tuple[LogRecord, Mapping[str, bytes]]] = []
"""Logs that were read from a dictionary: some may be held against each other."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record-logs", type=Path, help="where logs that are audited are recorded")


def pytest_configure(config: pytest.Config) -> None:
    _record_in(config.getoption("--record-logs"))
    auditing.read_log, auditing.audit_rounds, auditing.compare = read_log, audit_rounds, compare


@contextmanager
def recording(folder: Path) -> Iterator[tuple[Callable[..., LogRecord], Callable[..., list[RoundAudit]]]]:
    """Give both functions of the auditor as they record into a folder."""
    before = _folder[:]
    _record_in(folder)
    yield read_log, audit_rounds
    _folder[:] = before


def _record_in(folder: Path) -> None:
    (folder / "blobs").mkdir(parents=True, exist_ok=True)
    _folder[:] = [folder]


def read_log(files: Files, registry: Registry, retention_days: int = LEAST_RETENTION_DAYS) -> LogRecord:
    _open.clear()
    whole, kept = _recorded(files)
    try:
        record = _read_log(kept, registry, retention_days)
    except AuditError as error:
        if whole is not None and retention_days == LEAST_RETENTION_DAYS:
            record_case(whole, registry, found(error))
        raise
    if retention_days == LEAST_RETENTION_DAYS:
        _open.append((record, list(record.entries), kept.seen if whole is None else whole, registry))
        if whole is not None:
            _read.append((record, whole))
    return record


def compare(logs: Sequence[LogRecord], registry: Registry) -> Iterator[UnprovenClaim]:
    """Hold logs against each other, and record the first with what lies beside it, if all are as they were read."""
    known = [next((files for one, files in _read if one is log), None) for log in logs]
    files = [one for one in known if one is not None]
    is_whole = 1 < len(files) == len(logs) and logs[0].holder == MATCHER
    try:
        claims = list(_compare(logs, registry))
    except AuditError as error:
        if is_whole:
            record_case(files[0], registry, found(error) | {"compared": []}, files[1:])
        raise
    if is_whole:
        record_case(files[0], registry, {"compared": sorted({one.what for one in claims})}, files[1:])
    return iter(claims)


def audit_rounds(log: LogRecord, files: Files, registry: Registry, group: Group) -> list[RoundAudit]:
    (opened,) = _open or [None]
    _open.clear()
    whole, kept = _recorded(files)
    is_same = opened is not None and opened[0] is log and opened[1] == log.entries and opened[3] is registry
    try:
        rounds = _audit_rounds(log, kept, registry, group)
    except AuditError as error:
        if is_same and whole is not None and whole == opened[2]:
            record_case(whole, registry, found(error))
        raise
    if is_same and (whole is None or whole == opened[2]):
        unproven = {one.what for one in [*log.unproven, *(one for audit in rounds for one in audit.unproven)]}
        record_case(dict(opened[2]) | kept.seen, registry, {"unproven": sorted(unproven)})
    return rounds


class _Kept:
    """Gives files, and keeps those that it gave."""

    def __init__(self, files: Files) -> None:
        self.files, self.seen = files, dict[str, bytes]()

    def __call__(self, name: str) -> bytes | None:
        content = self.files(name)
        if content is not None:
            self.seen[name] = content
        return content


def _recorded(files: Files) -> tuple[dict[str, bytes] | None, _Kept]:
    """Return all files of a log where they are in a dictionary, or None; and what keeps those that are asked for."""
    of = getattr(files, "__self__", None)
    return (dict(of) if isinstance(of, dict) else None), _Kept(files)


def found(error: AuditError) -> dict[str, Any]:
    """Return what a verdict needs of an error: codes of its sentence and of those within, and the file or entry."""
    reason = error.sentence.fields.get("reason")
    return {
        "code": error.sentence.code,
        "reason": getattr(reason, "code", None),
        "name": str(error.fields.get("name", "")),
        "text": str(error),
    }


def record_case(
    files: Mapping[str, bytes], registry: Registry, verdict: dict[str, Any], beside: Sequence[Mapping[str, bytes]] = ()
) -> None:
    """Write a log, its registry, the verdict, and logs that it was held against."""
    (folder,) = _folder
    case: dict[str, Any] = {"files": _named(folder, files), "registry": write_registry(registry).decode()}
    if beside:
        case["beside"] = [_named(folder, other) for other in beside]
    key = hashlib.sha256(json.dumps(case, sort_keys=True).encode()).hexdigest()[:32]
    (folder / f"{key}.json").write_text(json.dumps(case | verdict))


def _named(folder: Path, files: Mapping[str, bytes]) -> dict[str, str]:
    """Write what is in files, and return the name of each with its digest."""
    names = {}
    for name, content in files.items():
        names[name] = hashlib.sha256(content).hexdigest()
        blob = folder / "blobs" / names[name]
        if not blob.exists():
            blob.write_bytes(content)
    return names
