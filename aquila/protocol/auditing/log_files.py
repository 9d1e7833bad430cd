"""Checks 1 to 7: a log's files, from the checkpoint down to every entry (PROTOCOL.md 10.4 and 10.6).

What witnesses' clocks say of the entries is in `coverage`.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from aquila.audit import checkpoint as checkpoints
from aquila.audit import merkle
from aquila.audit.entries import LEFT_OUT_FILE, LeftOutEntries, read_entry, read_left_out
from aquila.errors import AuditError
from aquila.protocol.auditing.coverage import check_erased, check_newest, check_times
from aquila.protocol.auditing.log_record import KeyPeriods, LogRecord, UnprovenClaim
from aquila.protocol.registry import MATCHER, Registry
from aquila.sentences import Sentence

Files: TypeAlias = Callable[[str], bytes | None]
"""Gives the content of a file of the log by its name, or None where there is none."""

MOST_ENTRIES = 1 << 30
LEAST_RETENTION_DAYS = 1_095
"""Three years: Articles 45 and 72 of Regulation (EU) 2024/982."""

_SIZE = re.compile(r"[1-9][0-9]{0,15}")


def read_log(files: Files, registry: Registry, retention_days: int = LEAST_RETENTION_DAYS) -> LogRecord:
    """Check all claims within a log's files, and return their contents.

    Args:
        retention_days: For how long contents must be kept at least.

    Raises:
        AuditError: The first thing that is wrong, and where.
    """
    # 1. Both speak of the same parties and keys.
    _check_registry(_file(files, "registry.json"), registry)
    # 2. The log's own signature, and those of its witnesses.
    content = _file(files, "checkpoint")
    holder, checkpoint, note = _opened("checkpoint", content, registry)
    log = LogRecord(holder, checkpoint)
    _take_cosignatures(log, "checkpoint", note, checkpoint.size, registry)
    if checkpoint.size > MOST_ENTRIES:
        raise AuditError("log_too_long_for_auditor", got=checkpoint.size)
    # 3. and 4. The tree, now and as it was.
    log.leaves = _leaves(files, checkpoint)
    _check_saved(files, log, registry)
    # 5. and 6. What the leaves are hashes of, but for what this copy leaves out.
    listed = files(LEFT_OUT_FILE)
    log.left_out = LeftOutEntries() if listed is None else read_left_out(listed, checkpoint.size)
    _read_entries(files, log)
    _check_keys(log, registry)
    check_times(log)
    check_erased(log, retention_days)
    # 7. What it has seen of other logs, where it is their witness.
    _take_seen(files, log, registry)
    log.unproven += _left_out(log)
    log.unproven += check_newest(log)
    return log


def _left_out(log: LogRecord) -> Iterator[UnprovenClaim]:
    if log.left_out.count:
        yield UnprovenClaim(
            "left_out", Sentence.of("entries_left_out", count=log.left_out.count, size=log.checkpoint.size)
        )


def _check_registry(content: bytes, registry: Registry) -> None:
    """Compare the fingerprints that the log names with the pinned ones.

    An older log names keys that were replaced since, and lacks parties that joined since.
    """
    pinned = {holder: {key.fingerprint for key in registry.keys_of(holder)} for holder in (MATCHER, *registry.parties)}
    try:
        named = json.loads(content)
    except (ValueError, RecursionError):
        named = None
    if not isinstance(named, dict):
        raise AuditError("log_registry_unreadable")
    for holder in sorted({*named, MATCHER}):
        fingerprint = named.get(holder)
        if not isinstance(fingerprint, str) or fingerprint not in pinned.get(holder, ()):
            raise AuditError("log_registry_key_differs", holder=holder[:16])


def _take_seen(files: Files, log: LogRecord, registry: Registry) -> None:
    """Take the newest checkpoint that was seen of each other log, which that log's owner must have signed."""
    for other in sorted({MATCHER, *registry.parties} - {log.holder}):
        name = f"seen/{other}"
        content = files(name)
        if content is None:
            continue
        holder, checkpoint, _ = _opened(name, content, registry)
        if holder != other:
            raise AuditError("checkpoint_log_differs_from_name", name=name)
        log.seen[other] = checkpoint


def _opened(name: str, content: bytes, registry: Registry) -> tuple[str, checkpoints.Checkpoint, checkpoints.Note]:
    """Return whose checkpoint a file holds, and the checkpoint with its verified signature."""
    with _where(name):
        origin = checkpoints.parse_checkpoint(checkpoints.parse_note(content).text).origin
        for holder in (MATCHER, *registry.parties):
            if registry.origin_of(holder) == origin:
                return holder, *checkpoints.open_checkpoint(content, origin, *registry.keys_of(holder))
        raise AuditError("log_holder_unknown", origin=origin[:200])


def _take_cosignatures(log: LogRecord, name: str, note: checkpoints.Note, size: int, registry: Registry) -> None:
    """Verify every cosignature by a witness, and remember it with its key; the log's owner is no witness of it."""
    with _where(name):
        found = list(registry.cosigners(note, log.holder))
    for holder, key, at in found:
        log.cosigned.setdefault(holder, {})[size] = at
        log.signed_by.append((size, holder, key))


def _leaves(files: Files, checkpoint: checkpoints.Checkpoint) -> list[bytes]:
    """Return all leaf hashes; every tile above them is what they give, and the head is the checkpoint's."""
    level_hashes: list[bytes] = []
    leaves: list[bytes] = []
    hashes: list[bytes] = []
    current = 0
    for level, number, width in merkle.tiles_of(checkpoint.size):
        if level != current:
            level_hashes, hashes, current = hashes, [], level
        name = merkle.tile_path(level, number, width)
        with _where(name):
            tile = merkle.read_tile(_file(files, name), width)
        for place, found in enumerate(tile):
            if level == 0:
                continue
            below = (number * merkle.TILE_WIDTH + place) * merkle.TILE_WIDTH
            if merkle.tree_root(level_hashes[below : below + merkle.TILE_WIDTH]) != found:
                raise AuditError("hash_differs_from_tile_below", name=name, place=place)
        hashes += tile
        if level == 0:
            leaves += tile
    if merkle.tree_root(leaves) != checkpoint.root:
        raise AuditError("checkpoint_head_differs_from_tiles", size=checkpoint.size)
    return leaves


def _check_saved(files: Files, log: LogRecord, registry: Registry) -> None:
    """Check every saved checkpoint, in the order of their sizes."""
    lines = _file(files, "checkpoints/index").decode("utf-8", "replace").split("\n")
    if lines.pop() or not all(_SIZE.fullmatch(line) for line in lines):
        raise AuditError("checkpoint_index_malformed")
    log.saved = [int(line) for line in lines]
    if log.saved != sorted(set(log.saved)) or log.saved[-1:] != [log.checkpoint.size]:
        raise AuditError("checkpoint_index_not_ascending")
    tree = merkle.Frontier()
    for size in log.saved:
        name = f"checkpoints/{size}"
        content = _file(files, name)
        holder, saved, note = _opened(name, content, registry)
        if holder != log.holder or saved.size != size:
            raise AuditError("checkpoint_differs_from_name", got=saved.size, name=name)
        for leaf in log.leaves[tree.size : size]:
            tree.append(leaf)
        if tree.root != saved.root:
            raise AuditError("log_forked_at_checkpoint", name=name, size=size)
        key = checkpoints.checkpoint_key(content, saved.origin, *registry.keys_of(holder))
        log.signed_by.append((size, holder, key))
        _take_cosignatures(log, name, note, size, registry)


def _read_entries(files: Files, log: LogRecord) -> None:
    """Read every entry and the statements, and compare each content with its leaf."""
    for number, width in merkle.bundles_of(log.checkpoint.size):
        name, said = merkle.bundle_path(number, width), merkle.statements_path(number, width)
        with _where(name):
            contents = merkle.read_bundle(_file(files, name), width)
        with _where(said):
            log.statements += merkle.read_statements(_file(files, said), width)
        for content in contents:
            index = len(log.entries)
            if content and merkle.leaf_hash(content) != log.leaves[index]:
                raise AuditError("entry_differs_from_tree", name=name, index=index)
            with _where(f"entry {index}"):
                log.entries.append(read_entry(content) if content else None)
    there = next((index for index in log.left_out.indices() if log.entries[index] is not None), None)
    if there is not None:
        raise AuditError("entry_not_left_out", file=LEFT_OUT_FILE, index=there)


def _check_keys(log: LogRecord, registry: Registry) -> None:
    """Check that each saved checkpoint was signed and cosigned by keys that were valid then."""
    log.keys = KeyPeriods.of(log.entries, registry)
    for size, holder, key in log.signed_by:
        with _where(f"checkpoints/{size}"):
            log.keys.check(holder, key, size)


@contextmanager
def _where(name: str) -> Iterator[None]:
    """Put the place before the sentence of an error."""
    try:
        yield
    except AuditError as error:
        if error.message.startswith(name):
            raise
        raise AuditError("log_file_invalid", **error.fields, name=name, reason=error.sentence) from None


def _file(files: Files, name: str) -> bytes:
    """Return a file of the log."""
    content = files(name)
    if content is None:
        raise AuditError("log_file_missing", name=name)
    return content
