"""A matcher that shows its log as it was before something happened, or different logs to different people."""

from pathlib import Path

import pytest

from aquila.audit.checkpoint import Checkpoint, cosign, witness_name
from aquila.audit.merkle import bundle_path, statements_path, tile_path, write_bundle, write_statements
from aquila.crypto.group import Group
from aquila.errors import AuditError
from aquila.protocol.auditing import LogRecord, UnprovenClaim, audit_rounds, check_at_least, compare, read_log
from aquila.protocol.messages import Outcomes
from tests.support.exported import CODES, NOW, Exported, exported


@pytest.fixture
def own(audited: Path) -> Exported:
    """The log of RS, exported."""
    return exported(audited, "RS")


def read(log: Exported) -> LogRecord:
    """Check the files of a log."""
    return read_log(log.files.get, log.registry)


def compared(*logs: Exported) -> list[UnprovenClaim]:
    return list(compare([read(log) for log in logs], logs[0].registry))


def cut(log: Exported, size: int) -> None:
    """Show the log as it was when it had so many entries, with what was signed then."""
    leaves = log.leaf_of[:size]
    older = [line for line in log.files["checkpoints/index"].split() if int(line) <= size]
    notes = {name: log.files[name] for name in (f"checkpoints/{line.decode()}" for line in older)}
    log.files = notes | {
        "registry.json": log.files["registry.json"],
        "checkpoint": notes[f"checkpoints/{size}"],
        "checkpoints/index": b"".join(line + b"\n" for line in older),
        tile_path(0, 0, size): b"".join(leaves),
        bundle_path(0, size): write_bundle(log.contents[:size]),
        statements_path(0, size): write_statements(log.envelopes[:size]),
    }


def sizes(log: Exported) -> list[int]:
    return [int(line) for line in log.files["checkpoints/index"].split()]


def test_any_older_checkpoint(matchers_log: Exported) -> None:
    """Whoever kept the newest checkpoint refuses every older log."""
    kept = matchers_log.files["checkpoint"]
    for size in sizes(matchers_log)[:-1]:
        log = matchers_log.copy()
        cut(log, size)
        with pytest.raises(AuditError, match=f"has {size} entries, and is older than the checkpoint") as caught:
            check_at_least(read(log), kept, log.registry)
        assert caught.value.fields["what"] == "older"
    check_at_least(read(matchers_log), kept, matchers_log.registry)


def test_older_than_what_a_party_has_seen(matchers_log: Exported, own: Exported) -> None:
    """A party's log says what it saw of the matcher's: every checkpoint below that is refused."""
    seen = read(own).seen["matcher"].size
    older = [size for size in sizes(matchers_log) if size < seen]
    assert len(older) > 5
    for size in older:
        log = matchers_log.copy()
        cut(log, size)
        with pytest.raises(AuditError, match="is older than what RS has seen of it") as caught:
            compared(log, own)
        assert caught.value.fields["what"] == "older"


def test_a_party_that_shows_an_older_log(log: Exported, own: Exported) -> None:
    """The matcher, too, says what it saw."""
    cut(own, sizes(own)[0])
    with pytest.raises(AuditError, match=r"the log of RS has .* is older than what matcher has seen of it"):
        compared(log, own)


def test_two_copies(matchers_log: Exported, log: Exported) -> None:
    """An older copy of one log must be the beginning of the newer one."""
    cut(log, sizes(log)[3])
    assert compared(matchers_log, log) == []
    matchers_log = matchers_log.copy()
    matchers_log.change(0, time=NOW - 1)
    matchers_log.sign_anew()
    with pytest.raises(AuditError, match="forked: another copy of it"):
        compared(matchers_log, log)


def test_two_heads_of_one_size(log: Exported, own: Exported) -> None:
    """Two honest witnesses cosigned two heads of one size: what each was shown contradicts the other's."""
    size = read(own).seen["matcher"].size
    other = Checkpoint(log.origin, size, bytes(32)).sign(log.keys["matcher"])
    own.put("seen/matcher", cosign(other, witness_name("RS", log.keys["RS"].public), log.keys["RS"], NOW).to_bytes())
    with pytest.raises(
        AuditError, match=f"forked: what RS has seen of it is not the head of its first {size}"
    ) as caught:
        compared(log, own)
    assert caught.value.fields["what"] == "fork"
    with pytest.raises(AuditError, match="forked: the checkpoint that was kept is not the head"):
        check_at_least(read(log), own.files["seen/matcher"], log.registry)


def test_a_checkpoint_of_nobody(log: Exported) -> None:
    """A note that the log's owner did not sign is none."""
    forged = Checkpoint(log.origin, log.size, bytes(32)).sign(log.keys["AL"])
    with pytest.raises(AuditError, match="is not signed by its log"):
        check_at_least(read(log), forged.to_bytes(), log.registry)


def test_honest_logs(matchers_log: Exported, audited: Path) -> None:
    """The logs of all do not contradict each other, and leave nothing open."""
    assert compared(matchers_log, *(exported(audited, code) for code in CODES)) == []


def test_the_last_words_of_a_party_left_out(log: Exported, own: Exported, group: Group) -> None:
    """What a party said last leaves no hole in its numbers; its own log has it, and the matcher had seen that log."""
    closing = log.message(next(place for place in log.all_of("closing") if log.entry(place).party == "RS"))
    fields = {name: getattr(closing, name) for name in ("round_id", "party", "binding")}
    said = Outcomes(sequence=closing.sequence + 1, pairs=(), **fields)  # type: ignore[attr-defined]  # a closing has one
    own.holder = "RS"
    own.sign(said, NOW)
    own.sign_anew(witnesses=("matcher",))
    log.files["seen/RS"] = own.files["checkpoint"]
    audit_rounds(read(log), log.files.get, log.registry, group)
    with pytest.raises(AuditError, match="the matcher's log has no entry of this outcome, number") as caught:
        compared(log, own)
    assert (caught.value.fields["what"], caught.value.fields["party"]) == ("statement_left_out", "RS")


def test_what_was_not_sent_yet(log: Exported, own: Exported) -> None:
    """What the party signed after the matcher saw its log may be on its way: it is said, and no fault."""
    place = own.index("closing")
    closing = own.message(place)
    fields = {name: getattr(closing, name) for name in ("round_id", "party", "binding")}
    own.holder = "RS"
    own.sign(Outcomes(sequence=closing.sequence + 1, pairs=(), **fields), NOW + 1)  # type: ignore[attr-defined]  # a closing has one
    own.sign_anew(witnesses=("matcher",), seen=[(own.size - 1, NOW)])
    assert [found.what for found in compared(log, own)] == ["not_entered"]
