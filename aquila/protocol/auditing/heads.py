"""Check 13: what the parties signed to have seen of the log is what it begins with (PROTOCOL.md 3.2.5 and 10.6).

A log that was written anew behind what its parties have worked on contradicts what they signed, whoever's keys sign it.
A statement that the matcher refused may name another head: nothing tells whether its party was shown another log, or
made the head up, so that is said and not a fault.
"""

from __future__ import annotations

from collections.abc import Mapping

from aquila.audit.merkle import Frontier
from aquila.errors import AuditError
from aquila.protocol.auditing.log_record import LogRecord
from aquila.protocol.log_entries import REFUSED
from aquila.protocol.messages import LogHead, Message, Statement


def wrong_heads(log: LogRecord, said: Mapping[int, Message]) -> dict[int, AuditError]:
    """Compare the head that each statement names with the tree, and return the errors, by the index of the entry.

    Args:
        log: The matcher's log.
        said: Its statements, by the index of their entries.
    """
    named: list[tuple[LogHead, int, str]] = []
    for index, message in said.items():
        if isinstance(message, Statement) and message.log_head is not None:
            named.append((message.log_head, index, message.party))
    tree, found = Frontier(), dict[int, AuditError]()
    for head, index, party in sorted(named, key=lambda one: (one[0].size, one[1])):
        if head.size > index:
            found[index] = AuditError(
                "entry_seen_size_too_large", what="head_later", expected=index, got=head.size, party=party
            )
            continue
        for leaf in log.leaves[tree.size : head.size]:
            tree.append(leaf)
        if tree.root.hex() != head.root:
            found[index] = AuditError(
                "entry_seen_head_differs",
                what="head_differs",
                expected=tree.root.hex(),
                got=head.root,
                index=index,
                party=party,
                size=head.size,
            )
    return found


def check_heads(log: LogRecord, wrong: Mapping[int, AuditError]) -> None:
    """Refuse a log in which a statement that counts names a wrong head.

    Args:
        log: The matcher's log.
        wrong: What `wrong_heads` found.

    Raises:
        AuditError: A statement names a head of more entries than came before it, or of another log.
    """
    for index, error in wrong.items():
        if not _is_refused(log, index):
            raise error


def _is_refused(log: LogRecord, index: int) -> bool:
    """Return whether an entry is about a statement that the matcher refused."""
    entry = log.entries[index]
    return entry is not None and entry.kind in REFUSED
