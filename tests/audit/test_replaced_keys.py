"""A key that was replaced signs nothing from its entry in the log on, and what it signed before stays right."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from aquila.audit.entries import LEFT_OUT_FILE, Entry, EntryKind
from aquila.audit.merkle import tree_root
from aquila.crypto.group import Group
from aquila.crypto.keys import IdentityKey
from aquila.errors import AuditError
from aquila.protocol.auditing import read_log
from aquila.protocol.messages import LogHead, Outcomes
from aquila.protocol.registry import Registry
from tests.support.exported import Exported, exported, verify
from tests.support.registering import key_of

NEW = key_of("AL new")
DAY = 86_400


def renewed(log: Exported, key: IdentityKey = NEW) -> Registry:
    known = log.registry
    parties = {**known.parties, "AL": replace(known.parties["AL"], key=key.public)}
    return Registry(known.matcher, parties, {"AL": known.keys_of("AL")})


def newest(log: Exported) -> int:
    return next(log.entry(place).time for place in reversed(range(log.size)) if log.contents[place])


def hold(log: Exported, key: IdentityKey) -> None:
    """Let AL sign and cosign with a key from now on."""
    log.keys = {**log.keys, "AL": key}


def enter_change(log: Exported, **digests: str) -> None:
    names = {"former": log.keys["AL"].public.fingerprint, "key": NEW.public.fingerprint} | digests
    log.append(Entry.of(EntryKind.KEY_REPLACED, newest(log), "matcher", recipient="AL", digests=names))
    log.registry = renewed(log)


def say(log: Exported, key: IdentityKey, number: int = 1) -> None:
    closing = log.message(log.statements_of("AL")[-1])
    head = LogHead(size=9, root=tree_root(log.leaf_of[:9]).hex())
    hold(log, key)
    common = {"round_id": closing.round_id, "party": "AL", "binding": closing.binding}  # type: ignore[attr-defined]  # a closing has them
    sequence = closing.sequence + number  # type: ignore[attr-defined]  # as above
    log.sign(Outcomes(sequence=sequence, pairs=(), log_head=head, **common), newest(log))


def verified(log: Exported, group: Group) -> None:
    log.sign_anew()
    verify(log, group)


def refusal(log: Exported, group: Group) -> str:
    """Return the code of the audit's first fault in the log as it is now."""
    log.sign_anew()
    return refusal_of(log, group)


def refusal_of(log: Exported, group: Group) -> str:
    with pytest.raises(AuditError) as caught:
        verify(log, group)
    reason = caught.value.sentence.fields.get("reason")
    return reason.code if reason is not None else caught.value.sentence.code  # type: ignore[union-attr]  # a sentence


def test_a_log_over_a_succession(log: Exported, group: Group) -> None:
    """Statements by the old key before, by the new one after: the log holds together, also for its owner's file."""
    enter_change(log)
    say(log, NEW)
    assert b"key_replaced" in log.contents[-2]
    verified(log, group)


def test_an_older_log_with_a_newer_registry(log: Exported, group: Group) -> None:
    log.registry = renewed(log)
    verified(log, group)


def test_the_old_key_signs_after_its_succession(log: Exported, group: Group) -> None:
    """Whoever stole it, and a matcher that takes it, are found by the log itself."""
    old = log.keys["AL"]
    enter_change(log)
    say(log, old)
    hold(log, NEW)
    assert refusal(log, group) == "entry_signed_by_replaced_key"


def test_the_old_key_cosigns_after_its_succession(log: Exported, group: Group) -> None:
    """A witness's replaced key vouches for nothing that came later."""
    enter_change(log)
    assert refusal(log, group) == "entry_signed_by_replaced_key"


def test_a_new_key_that_the_log_never_introduced(log: Exported, group: Group) -> None:
    """The matcher took statements under it, and entered no succession."""
    log.registry = renewed(log)
    say(log, NEW)
    assert refusal(log, group) == "entry_key_never_introduced"


@pytest.mark.parametrize("digests", [{"key": "ab" * 32}, {"former": NEW.public.fingerprint}, {"former": "ab" * 32}])
def test_a_succession_that_the_registry_does_not_know(log: Exported, group: Group, digests: dict[str, str]) -> None:
    enter_change(log, **digests)
    hold(log, NEW)
    assert refusal(log, group) == "entry_key_change_unknown"


def test_a_succession_that_was_erased(log: Exported, group: Group) -> None:
    """Retention keeps these entries: a log without one, however old and lawfully said, has a key from nowhere."""
    enter_change(log)
    hold(log, NEW)
    place, at = log.size - 1, log.entry(-1).time
    then = at + 1_096 * DAY
    counts = {"size": place + 1, "days": 1_095, "entries": 1}
    log.append(Entry.of(EntryKind.LOG_EXPORTED, then, "matcher"))
    log.append(Entry.of(EntryKind.LOG_PRUNED, then, "matcher", counts=counts))
    leaf, seen = log.leaf(place), [(place + 1, at), (place + 2, then), (place + 3, then)]
    log.sign_anew(seen=seen)
    verify(log, group)
    log.contents[place] = b""
    log.sign_anew(seen=seen, leaves={place: leaf})
    assert refusal_of(log, group) == "entry_key_never_introduced"


@pytest.mark.parametrize("kept", [True, False])
def test_a_succession_in_the_copy_of_a_party(audited: Path, group: Group, *, kept: bool) -> None:
    log = exported(audited, "matcher-for-SI")
    listed = json.loads(log.files[LEFT_OUT_FILE])
    enter_change(log)
    place = log.size - 1
    say(log, NEW)
    leaf = log.leaf(place)
    if not kept:
        log.contents[place] = b""
        listed["entries"].append([place, place + 1])
    log.sign_anew(leaves={place: leaf})
    log.files[LEFT_OUT_FILE] = json.dumps(listed).encode()
    if kept:
        verify(log, group)
    else:
        assert refusal_of(log, group) == "entry_key_never_introduced"


def test_a_log_after_a_succession_with_the_old_registry(log: Exported) -> None:
    before = log.registry
    enter_change(log)
    say(log, NEW)
    log.files["registry.json"] = log.files["registry.json"].replace(
        before.parties["AL"].key.fingerprint.encode(), NEW.public.fingerprint.encode()
    )
    log.sign_anew()
    with pytest.raises(AuditError) as caught:
        read_log(log.files.get, before)
    assert caught.value.sentence.code == "log_registry_key_differs"
