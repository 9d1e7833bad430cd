"""`aquila audit verify` on an exported log: it passes as it is, and each change is named with its place.

Some changes need only the files; the others are those of a matcher that writes its whole log anew with its own key, and
even with the keys of all witnesses.
"""

import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from aquila.audit.checkpoint import Checkpoint, cosign, log_name, parse_note, witness_name
from aquila.audit.entries import Entry, EntryKind
from aquila.audit.merkle import (
    bundle_path,
    leaf_hash,
    statements_path,
    tile_path,
    tree_root,
    write_bundle,
    write_statements,
)
from aquila.crypto.envelope import open_envelope, sign_envelope
from aquila.crypto.group import Group
from aquila.crypto.keys import IdentityKey
from aquila.errors import AquilaError, AuditError, InputError
from aquila.protocol.auditing import UnprovenClaim, audit_rounds, last_statements, read_log
from aquila.protocol.log_entries import MOST_REFUSED, refused_entry, statement_entry
from aquila.protocol.messages import (
    Closing,
    Consent,
    FollowUp,
    Manifest,
    Outcomes,
    Receipt,
    Refusal,
    ReportCheck,
    Statement,
)
from aquila.protocol.registry import RegisteredParty, Registry
from aquila.protocol.rounds.follow_ups import sealed_length
from aquila.sentences import text_of
from clients.cli.main import main
from clients.sdk.bundles import open_bundle
from tests.support.exported import CODES, NOW, Exported, exported

DAY = 86_400


def verify(log: Exported, group: Group, registry: Registry | None = None) -> list[str]:
    pinned = registry or log.registry
    record = read_log(log.files.get, pinned)
    return [audit.round.round_id for audit in audit_rounds(record, log.files.get, pinned, group)]


def unproven(log: Exported, group: Group) -> list[UnprovenClaim]:
    record = read_log(log.files.get, log.registry)
    rounds = audit_rounds(record, log.files.get, log.registry, group)
    return [*record.unproven, *(one for audit in rounds for one in audit.unproven)]


def test_a_whole_round_holds_together(matchers_log: Exported, group: Group) -> None:
    """Lists, a query, hits, the end: everything that the matcher exported is found right."""
    assert len(verify(matchers_log, group)) == 1


def test_a_nodes_log_holds_together(audited: Path, group: Group) -> None:
    log = exported(audited, "SI")
    record = read_log(log.files.get, log.registry)
    assert record.holder == "SI"
    assert set(record.cosigned) == {"matcher"}
    assert audit_rounds(record, log.files.get, log.registry, group) == []


# Changes of the files alone.


def _flip(name: str, place: int) -> Callable[[Exported], None]:
    def change(log: Exported) -> None:
        content = bytearray(log.files[name])
        content[place] ^= 1
        log.put(name, bytes(content))

    return change


def _broken_signature(log: Exported) -> None:
    note = parse_note(log.files["checkpoint"])
    broken = note.signatures[0]
    changed = bytes([broken.signature[0] ^ 1]) + broken.signature[1:]
    log.put("checkpoint", note.with_signature(type(broken)(broken.name, broken.key_id, changed)).to_bytes())


def _broken_cosignature(log: Exported) -> None:
    name = f"checkpoints/{log.files['checkpoints/index'].split()[-2].decode()}"
    note = parse_note(log.files[name])
    broken = next(s for s in note.signatures if s.name.startswith("aquila-witness/RS"))
    changed = broken.signature[:-1] + bytes([broken.signature[-1] ^ 1])
    log.put(name, note.with_signature(type(broken)(broken.name, broken.key_id, changed)).to_bytes())


def _smaller_size(log: Exported) -> None:
    size = str(log.size).encode()
    log.put("checkpoint", log.files["checkpoint"].replace(b"\n" + size + b"\n", b"\n3\n", 1))


def _strangers_checkpoint(log: Exported) -> None:
    log.put("checkpoint", Checkpoint("somebody", 3, bytes(32)).sign(log.keys["AL"]).to_bytes())


def _cut_tile(log: Exported) -> None:
    log.put(log.tile(), log.files[log.tile()][:-1])


def _changed_leaf(log: Exported) -> None:
    _flip(log.tile(), 5 * 32)(log)


def _changed_entry(log: Exported) -> None:
    log.change(7, time=1)
    log.write_bundles()


def _swapped_entries(log: Exported) -> None:
    log.contents[3], log.contents[4] = log.contents[4], log.contents[3]
    log.write_bundles()


def _dropped_from_bundle(log: Exported) -> None:
    log.put(log.bundle(), write_bundle(log.contents[:-1]))


def _emptied_entry(log: Exported) -> None:
    log.contents[6] = log.envelopes[6] = b""
    log.write_bundles()


def _dropped_statement(log: Exported) -> None:
    log.envelopes[log.index("evaluation")] = b""
    log.write_bundles()


def _swapped_statements(log: Exported) -> None:
    one, other = log.index("evaluation"), log.index("evaluation", 1)
    log.envelopes[one] = log.envelopes[other]
    log.write_bundles()


def _statement_where_none_belongs(log: Exported) -> None:
    log.envelopes[log.index("match")] = log.envelopes[log.index("consent")]
    log.write_bundles()


def _no_statement(log: Exported) -> None:
    log.envelopes[log.index("submission")] = b"{}"
    log.write_bundles()


def _cut_statements(log: Exported) -> None:
    log.put(log.said(), write_statements(log.envelopes[:-1]))


def _forked_checkpoint(log: Exported) -> None:
    sizes = [int(line) for line in log.files["checkpoints/index"].split()]
    fork = Checkpoint(log.origin, sizes[1], bytes(32)).sign(log.keys["matcher"])
    log.put(f"checkpoints/{sizes[1]}", fork.to_bytes())


def _unlisted_newest(log: Exported) -> None:
    lines = log.files["checkpoints/index"].split(b"\n")
    log.put("checkpoints/index", b"\n".join([*lines[:-2], b""]))


def _moved_checkpoint(log: Exported) -> None:
    sizes = log.files["checkpoints/index"].split()
    log.put(f"checkpoints/{sizes[0].decode()}", log.files[f"checkpoints/{sizes[1].decode()}"])


def _missing_checkpoint(log: Exported) -> None:
    del log.files[f"checkpoints/{log.files['checkpoints/index'].split()[0].decode()}"]


def _other_statistics(log: Exported) -> None:
    (name,) = (name for name in log.files if name.startswith("statistics/"))
    document = json.loads(log.files[name])
    document["pairs"][0]["high"] += 1
    log.put(name, json.dumps(document).encode())


def _no_statistics(log: Exported) -> None:
    (name,) = (name for name in log.files if name.startswith("statistics/"))
    del log.files[name]


def _seen(holder: str, key: IdentityKey) -> bytes:
    return Checkpoint(log_name(holder, key.public), 3, bytes(32)).sign(key).to_bytes()


def _forged_seen(log: Exported) -> None:
    log.put("seen/AL", _seen("AL", log.keys["AL"]))
    log.put("seen/RS", _seen("RS", log.keys["RS"]).replace(b"\n3\n", b"\n4\n"))


def _swapped_seen(log: Exported) -> None:
    log.put("seen/AL", _seen("RS", log.keys["RS"]))


FILES: dict[str, tuple[Callable[[Exported], None], str]] = {
    "the log's signature": (_broken_signature, "checkpoint: the log's signature is wrong"),
    "a cosignature": (_broken_cosignature, "the cosignature is wrong: aquila-witness/RS"),
    "the checkpoint's size": (_smaller_size, "checkpoint: the log's signature is wrong"),
    "somebody's checkpoint": (_strangers_checkpoint, "checkpoint: the log is of nobody whom the registry names"),
    "no note": (lambda log: log.put("checkpoint", b"\n"), "checkpoint: a signed note has no signature"),
    "no checkpoint": (lambda log: log.files.pop("checkpoint"), "checkpoint: the file is missing"),
    "a leaf": (_changed_leaf, "checkpoint: its head is not the one that the hash tiles give"),
    "a cut tile": (_cut_tile, "a hash tile has another length than its name says"),
    "no tile": (lambda log: log.files.pop(log.tile()), "tile/0/000.p/.*: the file is missing"),
    "an entry": (_changed_entry, "entry 7 is not the one that the tree holds"),
    "two entries swapped": (_swapped_entries, "entry 3 is not the one that the tree holds"),
    "an entry left out of its bundle": (_dropped_from_bundle, "does not hold as many entries as its name says"),
    "no bundle": (lambda log: log.files.pop(log.bundle()), "tile/entries/000.p/.*: the file is missing"),
    "an emptied entry": (_emptied_entry, "entry 6: its content is gone, and no entry says that retention allowed it"),
    "a statement left out": (_dropped_statement, "entry .*: the statement that it is about is missing"),
    "two statements swapped": (_swapped_statements, "entry .*: the statement there is another one"),
    "a statement too many": (_statement_where_none_belongs, "there is a statement for it, and it is about none"),
    "no statement": (_no_statement, "entry .*: its statement is not valid"),
    "statements cut": (_cut_statements, "tile/statements/000.p/.*: a bundle of statements does not hold as many"),
    "a fork": (_forked_checkpoint, "checkpoints/.*: the log forked: this checkpoint is not the head of its first"),
    "an unlisted checkpoint": (_unlisted_newest, "checkpoints/index: the sizes do not ascend to that"),
    "an index of words": (lambda log: log.put("checkpoints/index", b"one\n"), "does not list one size in each line"),
    "a checkpoint under another name": (_moved_checkpoint, "it is another checkpoint than its name says"),
    "a missing checkpoint": (_missing_checkpoint, "checkpoints/.*: the file is missing"),
    "other statistics": (_other_statistics, "the matcher published other statistics than the log's entries give"),
    "no statistics": (_no_statistics, "statistics/.*.json: the file is missing"),
    "no registry": (lambda log: log.put("registry.json", b"["), "registry.json: it cannot be read"),
    "a checkpoint that was seen": (_forged_seen, "seen/RS: the log's signature is wrong"),
    "two that were seen swapped": (_swapped_seen, "seen/AL: it is a checkpoint of another log"),
    "another registry": (
        lambda log: log.put("registry.json", b"{}"),
        "registry.json: the log names another key for matcher",
    ),
    "registry with no fingerprint": (
        lambda log: log.put("registry.json", b'{"AL":[]}'),
        "registry.json: the log names another key for AL",
    ),
}


@pytest.mark.parametrize("what", FILES)
def test_a_change_of_the_files_is_found(log: Exported, group: Group, what: str) -> None:
    change, sentence = FILES[what]
    change(log)
    with pytest.raises(AuditError, match=sentence):
        verify(log, group)


def test_another_registry_is_named(log: Exported, group: Group) -> None:
    parties = dict(log.registry.parties)
    parties["RS"] = RegisteredParty("RS", "RS", log.keys["matcher"].public)
    with pytest.raises(AuditError, match="another key for RS"):
        verify(log, group, Registry(log.registry.matcher, parties))


# What a matcher does that writes its log anew.


def _without(kind: str, number: int = 0) -> Callable[[Exported], None]:
    return lambda log: log.drop(log.index(kind, number))


def _notes_of_nobody(log: Exported) -> None:
    log.change(log.index("disclosure"), recipient="XK")


def _notes_twice(log: Exported) -> None:
    index = log.index("disclosure")
    log.contents.insert(index + 1, log.contents[index])
    log.envelopes.insert(index + 1, log.envelopes[index])


def _twice(log: Exported) -> None:
    place = log.index("evaluation")
    log.contents.insert(place + 1, log.contents[place])
    log.envelopes.insert(place + 1, log.envelopes[place])


def _says_other_counts(log: Exported) -> None:
    place = log.index("submission")
    log.change(place, counts=log.entry(place).counts | {"records": 1})


def _says_other_party(log: Exported) -> None:
    log.change(log.index("consent"), party="SI")


def _says_other_reason(log: Exported) -> None:
    place = log.index("submission")
    reason = log.entry(place).reason
    assert reason is not None
    log.change(place, reason=reason.model_copy(update={"purpose": "another"}))


def _more_matches(log: Exported) -> None:
    place = log.index("match")
    log.change(place, counts=log.entry(place).counts | {"high": 7})


def _fewer_reported(log: Exported) -> None:
    place = log.index("report")
    log.change(place, counts=dict.fromkeys(log.entry(place).counts, 0))


def _fewer_everywhere(log: Exported) -> None:
    for kind, of_lists in (("report", 6), ("match", 3)):
        for number in range(of_lists):
            place = log.index(kind, number)
            log.change(place, counts=dict.fromkeys(log.entry(place).counts, 0))


def _late_submission(log: Exported) -> None:
    log.change(log.index("submission"), time=NOW + 10**8)


def _tokens_first(log: Exported) -> None:
    """Move the tokens of the party whose list came last before the evaluations of that list."""
    first = log.index("submission", 2)
    last = next(
        place
        for place in range(first, log.size)
        if log.entry(place).kind is EntryKind.TOKENS and log.entry(place).party == log.entry(first).party
    )
    log.contents.insert(first + 1, log.contents.pop(last))
    log.envelopes.insert(first + 1, log.envelopes.pop(last))


def _report_first(log: Exported) -> None:
    first, last = log.index("tokens"), log.index("report")
    log.contents.insert(first, log.contents.pop(last))
    log.envelopes.insert(first, log.envelopes.pop(last))


def _report_twice(log: Exported) -> None:
    place = log.index("report")
    log.contents.insert(place, log.contents[place])
    log.envelopes.insert(place, b"")


def _into_pages(log: Exported, *numbers: int) -> None:
    place = log.index("report")
    whole, content, envelope = log.entry(place).counts, log.contents[place], log.envelopes[place]
    for number, page in enumerate(numbers):
        if number:
            log.contents.insert(place + number, content)
            log.envelopes.insert(place + number, envelope)
        counts = whole if not number else dict.fromkeys(whole, 0)
        log.change(place + number, counts=counts | {"page": page, "pages": 2})


def _pages_out_of_order(log: Exported) -> None:
    _into_pages(log, 1, 0)


def _page_twice(log: Exported) -> None:
    _into_pages(log, 0, 0)


def _page_left_out(log: Exported) -> None:
    _into_pages(log, 0)


def _match_twice(log: Exported) -> None:
    place = log.index("match")
    log.contents.insert(place, log.contents[place])
    log.envelopes.insert(place, b"")


def _forged_manifest(log: Exported) -> None:
    log.envelopes[log.index("proposal")] = log.envelopes[log.index("opening")]


def _note_without_number(log: Exported) -> None:
    place = log.index("disclosure")
    log.change(place, counts={name: n for name, n in log.entry(place).counts.items() if name != "sequence"})


def _note_to_nobody(log: Exported) -> None:
    log.change(log.index("disclosure"), recipient=None)


def _proposed_twice(log: Exported) -> None:
    log.sign(log.message(log.index("proposal")).model_copy(update={"purpose": "another"}), NOW)


def _other_notes(log: Exported) -> None:
    place = log.index("disclosure")
    log.change(place, counts=log.entry(place).counts | {"notes": 9})


def _other_level(log: Exported) -> None:
    place = next(place for place in log.all_of("match") if log.entry(place).counts["high"])
    names = {log.entry(place).ids["left"], log.entry(place).ids["right"]}
    of = log.entry(place).ids.get("submission")
    told = [
        one for one in log.all_of("report") if {log.entry(one).recipient, log.entry(one).ids["counterpart"]} == names
    ]
    for one in [place, *(one for one in told if log.entry(one).ids.get("submission") == of)]:
        counts = log.entry(one).counts
        log.change(one, counts=counts | {"high": counts["high"] - 1, "low": counts["low"] + 1})


def _called_refused(log: Exported) -> None:
    place = log.index("receipt")
    entry = log.entry(place)
    refused = refused_entry(log.message(place), entry.digests["statement"], entry.time)  # type: ignore[arg-type]  # it is one
    log.contents[place] = refused.content()


def _erased_too_early(log: Exported) -> None:
    pruned = Entry.of(EntryKind.LOG_PRUNED, NOW + 10 * DAY, "matcher", counts={"size": 5, "days": 10, "entries": 5})
    log.append(pruned)
    for place in range(5):
        log.contents[place] = log.envelopes[place] = b""


def _erased_before_seen(log: Exported) -> None:
    pruned = Entry.of(EntryKind.LOG_PRUNED, NOW + DAY, "matcher", counts={"size": 5, "days": 1095, "entries": 5})
    log.append(pruned)
    for place in range(5):
        log.contents[place] = log.envelopes[place] = b""


def _consent_about_nothing(log: Exported) -> None:
    place = log.index("consent")
    log.change(place, digests={})
    log.envelopes[place] = b""


def _refused_of_nobody(log: Exported) -> None:
    log.append(Entry.of(EntryKind.STATEMENT_REFUSED, NOW, "matcher", digests={"statement": "0" * 64}))


def _match_the_other_way_round(log: Exported) -> None:
    place = log.index("match")
    ids = log.entry(place).ids
    log.change(place, ids=ids | {"left": ids["right"], "right": ids["left"]})


def _report_of_more_hits(log: Exported) -> None:
    place = log.index("report")
    counts = log.entry(place).counts
    log.change(place, counts=counts | {"hits": counts["hits"] + 1})


MATCHER: dict[str, tuple[Callable[[Exported], None], str]] = {
    "an evaluation left out": (_without("evaluation"), "does not allow it: tokens before 1 evaluations"),
    "a consent left out": (_without("consent"), "does not allow it: the opening names a consent of AL"),
    "locks left out": (_without("locks"), "does not allow it: AL submits before it has signed its locks"),
    "a submission left out": (_without("submission"), "does not allow it: AL has no such submission"),
    "tokens left out": (_without("tokens", 2), "is sent a report that is not due"),
    "a report left out": (_without("report"), "does not allow it: .. tells of a report that it was not sent"),
    "a receipt left out": (_without("receipt"), "was closed without the receipt of"),
    "notes left out": (_without("disclosure"), "does not allow it: the confirmation is of no notes that were sent"),
    "a confirmation left out": (_without("note_received"), "was closed before .. had confirmed its hits with"),
    "notes of a pair that was not told": (_notes_of_nobody, "sends notes to XK that are not due"),
    "notes twice": (_notes_twice, "sends a batch of notes twice"),
    "a match left out": (_without("match"), ".. and .. were not matched for the lists"),
    "a query's match left out": (_without("match", 3), ".. and .. were not matched for the query"),
    "the opening left out": (_without("opening"), "is not open yet"),
    "the manifest left out": (_without("proposal"), "entry .*: it is of a round that was never proposed"),
    "an evaluation twice": (_twice, "its statement is that of entry .* already"),
    "other counts": (_says_other_counts, "it says something else than its statement: counts"),
    "another party": (_says_other_party, "it says something else than its statement: party"),
    "another reason": (_says_other_reason, "it says something else than its statement: reason"),
    "more matches": (
        _more_matches,
        ".. was told of .* hits of the level high with .. for the lists, and .* were matched",
    ),
    "fewer reported": (_fewer_reported, "acknowledges another number of hits than its report has"),
    "hits hidden everywhere": (_fewer_everywhere, "acknowledges another number of hits than its report has"),
    "a submission after its time": (_late_submission, "the time for a submission is over"),
    "tokens before evaluations": (_tokens_first, "does not allow it: tokens before .* evaluations"),
    "a report before its time": (_report_first, "is sent a report that is not due"),
    "pages out of order": (_pages_out_of_order, "a page of the report to .. is not the next one"),
    "a page twice": (_page_twice, "a page of the report to .. is not the next one"),
    "a page left out": (_page_left_out, "does not allow it: .. tells of a report that it was not sent"),
    "a report twice": (_report_twice, "is sent a second report of the same"),
    "a match twice": (_match_twice, ".. and .. are matched twice, or may not be"),
    "another manifest": (_forged_manifest, "entry .*: the statement there is another one"),
    "a note without its number": (_note_without_number, "does not have the form of a disclosure"),
    "a note to nobody": (_note_to_nobody, "does not have the form of a disclosure"),
    "a match the other way round": (_match_the_other_way_round, "does not have the form of a match"),
    "a report of more hits than its levels": (_report_of_more_hits, "hits, and .* by its levels"),
    "a second proposal": (_proposed_twice, "was proposed before, by entry"),
    "other notes than were confirmed": (_other_notes, "confirms notes of another number than were sent"),
    "hits of another level": (_other_level, "acknowledges another number of hits than its report has"),
    "a statement called refused": (_called_refused, "refused a statement of .. that the round allows"),
    "a consent without its statement": (_consent_about_nothing, "the statement that it is about is missing"),
    "a refused statement of nobody": (_refused_of_nobody, "does not have the form of a statement_refused"),
    "contents erased early": (_erased_too_early, "contents were erased after 10 days"),
    "contents erased that nobody saw": (_erased_before_seen, "erased that no witness saw 1095 days before"),
}


@pytest.mark.parametrize("what", MATCHER)
def test_a_log_written_anew_is_found_out(log: Exported, group: Group, what: str) -> None:
    """Even with the matcher's key and those of all witnesses, a log must tell a whole, lawful round."""
    change, sentence = MATCHER[what]
    change(log)
    log.sign_anew()
    with pytest.raises(AuditError, match=sentence):
        verify(log, group)


@pytest.mark.parametrize("has_time", [True, False])
def test_a_round_is_opened_when_everybody_has_answered(log: Exported, group: Group, *, has_time: bool) -> None:
    """Or when the time for it is over: nobody is kept out by an opening before that."""
    opening, missing = log.index("opening"), log.index("consent", 2)
    manifest = log.message(log.index("proposal"))
    assert isinstance(manifest, Manifest)
    log.leave_out(missing, *range(opening + 1, log.size))
    log.change(log.index("opening"), time=manifest.window.consent_by + (not has_time))
    log.files = {name: content for name, content in log.files.items() if not name.startswith("statistics")}
    log.name_anew()
    log.sign_anew()
    if has_time:
        with pytest.raises(AuditError, match="is opened before everybody has answered"):
            verify(log, group)
    else:
        assert len(verify(log, group)) == 1


def test_an_asker_is_told_after_the_owners_receipt(log: Exported, group: Group) -> None:
    """Else at the end of the round alone, which then follows at once."""
    told = [place for place in log.all_of("report") if log.entry(place).ids["of"] == "query"][-1]
    owner = log.entry(told).ids["counterpart"]
    receipt = next(
        place for place in reversed(log.all_of("receipt")) if place < told and log.entry(place).party == owner
    )
    assert log.entry(receipt).ids == {
        name: value for name, value in log.entry(told).ids.items() if name != "counterpart"
    }
    log.move(told, receipt)
    log.name_anew()
    log.sign_anew()
    with pytest.raises(AuditError, match=f"entry {receipt}: .* is sent a report that is not due"):
        verify(log, group)
    log.move(log.index("ending"), receipt + 1)
    log.name_anew()
    log.sign_anew()
    assert {one.what for one in unproven(log, group)} == {"dual_control"}


def test_the_forger_can_write_a_right_log(log: Exported, group: Group) -> None:
    """What the changes above rest on: written anew without a change, the log holds together."""
    log.sign_anew()
    assert len(verify(log, group)) == 1


def test_without_witnesses_it_is_not_believed(log: Exported, group: Group) -> None:
    """A matcher alone can sign any log; it cannot cosign in the name of those who worked in the round."""
    log.sign_anew(witnesses=("AL", "RS"))
    with pytest.raises(AuditError, match="SI worked in it and cosigned no checkpoint that holds its opening"):
        verify(log, group)


def test_what_no_witness_covers(log: Exported, group: Group) -> None:
    """Of a closed round it is a fault, of what follows it is said."""
    whole = log.copy()
    log.append(Entry.of(EntryKind.LOG_EXPORTED, NOW + 2 * DAY, "matcher"))
    log.sign_anew(seen=[(log.index("opening") + 1, NOW)])
    with pytest.raises(AuditError, match="AL worked in it and cosigned no checkpoint that holds its ending"):
        verify(log, group)
    log = whole
    log.sign_anew()
    covered = log.size
    log.append(Entry.of(EntryKind.SIGN_IN, NOW, "matcher"))
    log.sign_anew(seen=[(covered, NOW)])
    assert [found.what for found in read_log(log.files.get, log.registry).unproven] == ["uncovered"]


def test_a_closing_left_out_is_found_a_day_later(log: Exported, group: Group) -> None:
    """A party cosigns the ending before it reads it: at once its closing may still be to come."""
    log.leave_out(*log.all_of("closing"))
    log.sign_anew()
    assert unproven(log, group) == []
    seen = [(log.size, NOW)]
    log.append(Entry.of(EntryKind.LOG_EXPORTED, NOW + 86_400, "matcher"))
    log.sign_anew(seen=seen)
    assert unproven(log, group) == []
    log.append(Entry.of(EntryKind.LOG_EXPORTED, NOW + 86_401, "matcher"))
    log.sign_anew(seen=seen)
    assert {one.what for one in unproven(log, group)} == {"closing"}


def test_a_party_that_was_away_at_the_ending(log: Exported, group: Group) -> None:
    """Without its last word, and its cosignature over the ending, nobody is blamed: its own log tells what it was."""
    (closing,) = (place for place in log.all_of("closing") if log.entry(place).party == "SI")
    log.drop(closing)
    log.append(Entry.of(EntryKind.LOG_EXPORTED, NOW + 10**8, "matcher"))
    log.sign_anew(witnesses=("AL", "RS"))
    log.cosign_at(log.index("ending"), "SI")
    (audit,) = audit_rounds(read_log(log.files.get, log.registry), log.files.get, log.registry, group)
    assert [(found.what, text_of(found.sentence).partition(": ")[2]) for found in audit.unproven] == [
        ("closing", "SI never said that its keys are destroyed"),
        ("uncovered", "SI has cosigned no checkpoint that holds all that it said and the ending"),
    ]


def test_a_party_that_closed_and_was_away_at_the_ending(log: Exported, group: Group) -> None:
    """It has cosigned its closing, which came before the ending; that one it never saw."""
    (closing,) = (place for place in log.all_of("closing") if log.entry(place).party == "SI")
    content, envelope = log.contents[closing], log.envelopes[closing]
    log.drop(closing)
    place = log.index("ending")
    log.contents.insert(place, content)
    log.envelopes.insert(place, envelope)
    log.append(Entry.of(EntryKind.LOG_EXPORTED, NOW + 10**8, "matcher"))
    log.name_anew()
    log.sign_anew(witnesses=("AL", "RS"))
    log.cosign_at(log.index("ending"), "SI")
    (audit,) = audit_rounds(read_log(log.files.get, log.registry), log.files.get, log.registry, group)
    assert [found.what for found in audit.unproven] == ["uncovered"]


def test_the_last_word_of_an_open_round_may_wait(log: Exported, group: Group) -> None:
    end = log.index("receipt")
    log.leave_out(*range(end, log.size))
    log.files = {name: content for name, content in log.files.items() if not name.startswith("statistics")}
    log.sign_anew(seen=[(log.index("opening") + 1, NOW)])
    (audit,) = audit_rounds(read_log(log.files.get, log.registry), log.files.get, log.registry, group)
    assert {found.what for found in audit.unproven} == {"uncovered", "hits", "report", "not_checked"}


def test_who_refuses_may_be_gone_before_it_sees_the_opening(log: Exported, group: Group) -> None:
    opening = log.index("opening")
    log.leave_out(*range(opening + 1, log.size))
    log.files = {name: content for name, content in log.files.items() if not name.startswith("statistics")}
    consent = log.message(log.statements_of("AL")[-1])
    assert isinstance(consent, Consent)
    fields = {"round_id": consent.round_id, "party": "AL", "sequence": consent.sequence + 1}
    log.sign(Refusal(**fields, reason="its database was restored"), log.entry(-1).time)
    log.sign_anew(seen=[(opening, NOW)])
    assert {found.what for found in unproven(log, group)} == {"uncovered"}


def test_a_manifest_for_another_key_is_refused(log: Exported, group: Group) -> None:
    place = log.index("proposal")
    keys = {log.keys["matcher"].public.fingerprint: log.keys["matcher"].public}
    manifest = Manifest.from_payload(open_envelope(log.envelopes[place], [Manifest.payload_type], keys).payload)
    strangers = tuple(
        part.model_copy(update={"identity_fingerprint": "0" * 64}) if part.party == "AL" else part
        for part in manifest.participants
    )
    forged = manifest.model_copy(update={"participants": strangers})
    log.envelopes[place] = sign_envelope(Manifest.payload_type, forged.payload(), log.keys["matcher"])
    digest = open_envelope(log.envelopes[place], [Manifest.payload_type], keys).digest
    log.contents[place] = statement_entry(forged, digest, NOW).content()
    log.sign_anew()
    with pytest.raises(AuditError, match=r"entry .*: the manifest of round .* does not count: .* another identity key"):
        verify(log, group)


@pytest.mark.parametrize(("part", "more"), [(0, 0), (0, 4), (1, 0)])
def test_a_follow_up_has_the_size_of_the_hits(log: Exported, group: Group, part: int, more: int) -> None:
    """AL tells RS of their hits after the end; there is one third party."""
    said = [log.message(place) for place in log.statements_of("AL")]
    lists = [one for one in said if isinstance(one, Receipt) and one.submission_id is None and one.counterpart == "RS"]
    last = said[-1]
    assert isinstance(last, Statement)
    common = {"round_id": last.round_id, "party": "AL", "log_head": last.log_head, "binding": lists[0].binding}
    sealed = "A" * (sealed_length(lists[0].hits.total, 1) + more)
    log.sign(FollowUp(sequence=last.sequence + 1, to="RS", part=part, sealed=sealed, **common), log.entry(-1).time)
    log.sign_anew()
    if not part and not more:
        verify(log, group)
        return
    with pytest.raises(AuditError, match="has not the size of their hits"):
        verify(log, group)


def test_a_refused_statement_explains_its_number(log: Exported, group: Group) -> None:
    consent = log.message(next(place for place in log.all_of("consent") if log.entry(place).party == "AL"))
    assert isinstance(consent, Consent)
    number = 1 + max(
        message.sequence for place in log.statements_of("AL") if isinstance(message := log.message(place), Statement)
    )
    place = log.sign(consent.model_copy(update={"sequence": number}), NOW)
    again = log.message(place)
    assert isinstance(again, Statement)
    log.contents[place] = refused_entry(again, log.entry(place).digests["statement"], NOW, EntryKind.EVIDENCE).content()
    binding = log.message(log.index("closing"))
    fields = {"round_id": consent.round_id, "party": "AL", "sequence": number + 1, "binding": binding.binding}  # type: ignore[attr-defined]  # a closing has one
    fields["log_head"] = consent.log_head
    log.sign(Outcomes(pairs=(), **fields), NOW)
    log.sign_anew()
    assert len(verify(log, group)) == 1
    log.envelopes[place] = b""
    log.sign_anew()
    (point,) = unproven(log, group)
    assert (point.what, point.shown_by, point.digest) == ("numbers", "AL", log.entry(place).digests["statement"])
    log.drop(place)
    log.sign_anew()
    with pytest.raises(AuditError, match=f"statements of AL are missing, with the numbers {number}"):
        verify(log, group)


@pytest.mark.parametrize("kind", ["receipt", "checked"])
def test_a_party_that_contradicts_its_report_cannot_blame_the_matcher(log: Exported, group: Group, kind: str) -> None:
    """The matcher refused a receipt of more hits, or a check of other tags, than it told its party of."""
    place = log.index(kind)
    message = log.message(place)
    assert isinstance(message, Receipt | ReportCheck)
    other: object = "0" * 64
    if isinstance(message, Receipt):
        other = message.hits.model_copy(update={"high": message.hits.high + 1})
    at = log.sign(message.model_copy(update={"hits" if kind == "receipt" else "met": other}), NOW)
    refused = refused_entry(message, log.entry(at).digests["statement"], log.entry(place).time)
    log.contents[at] = refused.content()
    log.move(at, place)
    log.name_anew()
    log.sign_anew()
    assert unproven(log, group) == []
    log.say(place, **{"hits": message.hits} if isinstance(message, Receipt) else {"met": message.met})
    log.name_anew()
    log.sign_anew()
    with pytest.raises(AuditError, match=f"refused a statement of {message.party} that the round allows"):
        verify(log, group)


def test_what_is_refused_beyond_what_is_kept(log: Exported, group: Group) -> None:
    """The matcher keeps no more of a liar's statements: what else is missing of it is not proven, and no fault."""
    last = log.message(log.statements_of("AL")[-1])
    assert isinstance(last, Closing)
    entry = refused_entry(last, "0" * 64, NOW)
    for number in range(MOST_REFUSED - 1):
        log.append(entry.model_copy(update={"digests": {"statement": f"{number:064x}"}}))
    fields = {"round_id": last.round_id, "party": "AL", "sequence": last.sequence + 2, "binding": last.binding}
    log.sign(Outcomes(pairs=(), **fields, log_head=last.log_head), NOW)
    log.sign_anew()
    with pytest.raises(AuditError, match=f"statements of AL are missing, with the numbers {last.sequence + 1}"):
        verify(log, group)
    log.append(entry)
    log.sign_anew()
    (point,) = unproven(log, group)
    assert point.what == "numbers"
    assert f"the numbers {last.sequence + 1} of AL may be of statements that the matcher refused" in text_of(
        point.sentence
    )


def test_a_round_that_goes_on_is_taken_as_far_as_it_came(log: Exported, group: Group) -> None:
    end = log.index("evaluation", 2)
    del log.contents[end:], log.envelopes[end:]
    log.files = {name: content for name, content in log.files.items() if not name.startswith("statistics")}
    log.sign_anew()
    assert len(verify(log, group)) == 1


def test_a_round_whose_time_is_over_may_be_whole(log: Exported, group: Group) -> None:
    log.append(Entry.of(EntryKind.LOG_EXPORTED, NOW + 10**8, "matcher"))
    log.sign_anew()
    assert len(verify(log, group)) == 1


def test_a_round_that_ended_after_its_time_may_lack_notes(log: Exported, group: Group) -> None:
    silent = log.index("note_received")
    message = log.message(silent)
    assert isinstance(message, Statement)
    number = message.sequence
    (closing,) = (place for place in log.all_of("closing") if log.entry(place).party == message.party)
    log.say(closing, given_up=((number, number),))
    log.drop(silent)
    log.name_anew()
    log.sign_anew()
    with pytest.raises(AuditError, match=r"was closed before .* had confirmed its hits"):
        verify(log, group)
    log.change(log.index("ending"), time=NOW + 10**8)
    log.name_anew()
    log.sign_anew()
    assert len(verify(log, group)) == 1


def test_contents_may_be_erased_in_time(log: Exported, group: Group) -> None:
    """After three years contents are gone but for the proposal; every proof holds, and the round is passed over."""
    pruned = Entry.of(
        EntryKind.LOG_PRUNED,
        NOW + 1096 * DAY,
        "matcher",
        counts={"size": log.index("closing"), "days": 1095, "entries": log.index("closing")},
    )
    last = log.index("closing")
    log.append(pruned)
    leaves = log.leaf_of
    for place in set(range(last)) - {log.index("proposal")}:
        log.contents[place] = log.envelopes[place] = b""
    assert leaves[:last] == log.leaf_of[:last]
    then = NOW + 1096 * DAY
    log.sign_anew(statistics=False, seen=[(last, NOW), (log.size - 1, then), (log.size, then)])
    assert verify(log, group) == []


def test_a_large_log_has_tiles_above_tiles(group: Group, log: Exported) -> None:
    contents = [Entry.of(EntryKind.LOG_EXPORTED, number, "matcher").content() for number in range(300)]
    leaves = list(map(leaf_hash, contents))
    note = Checkpoint(log.origin, 300, tree_root(leaves)).sign(log.keys["matcher"])
    for code in CODES:
        note = cosign(note, witness_name(code, log.keys[code].public), log.keys[code], NOW)
    log.files = {
        "registry.json": log.files["registry.json"],
        "checkpoint": note.to_bytes(),
        "checkpoints/index": b"300\n",
        "checkpoints/300": note.to_bytes(),
        tile_path(0, 0): b"".join(leaves[:256]),
        tile_path(0, 1, 44): b"".join(leaves[256:]),
        tile_path(1, 0, 1): tree_root(leaves[:256]),
        bundle_path(0): write_bundle(contents[:256]),
        bundle_path(1, 44): write_bundle(contents[256:]),
        statements_path(0): write_statements([b""] * 256),
        statements_path(1, 44): write_statements([b""] * 44),
    }
    record = read_log(log.files.get, log.registry)
    assert audit_rounds(record, log.files.get, log.registry, group) == []
    log.files[tile_path(1, 0, 1)] = bytes(32)
    with pytest.raises(AuditError, match=r"tile/1/000.p/1: hash 0 is not that of the tile below it"):
        read_log(log.files.get, log.registry)


def test_more_entries_than_an_auditor_can_hold(log: Exported) -> None:
    note = Checkpoint(log.origin, 1 << 40, bytes(32)).sign(log.keys["matcher"])
    log.put("checkpoint", note.to_bytes())
    with pytest.raises(AuditError, match="more entries than an auditor can hold"):
        read_log(log.files.get, log.registry)


# The command.


def run(*words: str) -> int:
    return main(["audit", "verify", *words])


def test_the_command_says_what_it_found(audited: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On an archive and on a folder; status 0, or 1 with the first thing that is wrong."""
    registry = str(audited / "matcher" / "registry.toml")
    assert run(str(audited / "matcher.tar"), "--registry", registry) == 0
    assert "The log of matcher holds together" in capsys.readouterr().out
    with tarfile.open(audited / "matcher.tar") as archive:
        archive.extractall(tmp_path / "log", filter="data")
    assert run(str(tmp_path / "log"), "--registry", registry, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["rounds"][0]["outcome"] == "closed"
    assert sum(document["shown_by"].values()) == document["entries"]
    assert document["shown_by"]["the signature of a party"] > document["shown_by"]["the signature of the matcher"] == 3
    (tmp_path / "log" / "checkpoints" / "index").write_bytes(b"5\n")
    assert run(str(tmp_path / "log"), "--registry", registry) == 1
    assert "checkpoints/index: the sizes do not ascend" in capsys.readouterr().err


def test_the_command_says_what_one_log_cannot_show(audited: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, registry = exported(audited, "matcher"), ["--registry", str(audited / "matcher" / "registry.toml")]
    place, age, more = str(audited / "matcher.tar"), "whether there is a newer log than this export", "said more after"
    checkpoint = str(audited / "kept.note")
    (audited / "kept.note").write_bytes(log.files["checkpoint"])
    cases = [
        ([], [age, "whether AL, RS, SI said more after"]),
        (["--at-least", checkpoint], ["whether AL, RS, SI said more after"]),
        (["--with", str(audited / "SI.tar")], ["whether AL, RS said more after"]),
        ([word for code in CODES for word in ("--with", str(audited / f"{code}.tar"))], []),
    ]
    for words, expected in cases:
        assert run(place, *registry, *words, "--json") == 0
        found = json.loads(capsys.readouterr().out)["not_checked"]
        assert len(found) == len(expected)
        assert all(sentence in one for sentence, one in zip(expected, found, strict=True))
    assert run(place, *registry) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"NOT CHECKED: {age}" in said
    assert "--at-least NOTE" in said
    assert more in said


def test_the_command_says_how_far_statements_are_witnessed(audited: Path, capsys: pytest.CaptureFixture[str]) -> None:
    registry = ["--registry", str(audited / "matcher" / "registry.toml")]
    assert run(str(audited / "matcher.tar"), *registry, "--json") == 0
    ((_, parties),) = json.loads(capsys.readouterr().out)["statements"].items()
    assert set(parties) == set(CODES)
    for found in parties.values():
        assert found["number"] == found["by_itself"] == found["by_anyone"] > 1
    assert run(str(audited / "matcher.tar"), *registry) == 0
    assert "cosigned by itself" in " ".join(capsys.readouterr().out.split())


def test_how_far_statements_are_witnessed(log: Exported, group: Group) -> None:
    last = log.message(log.statements_of("AL")[-1])
    assert isinstance(last, Statement)
    fields = {"round_id": last.round_id, "party": "AL", "binding": last.binding, "log_head": last.log_head}  # type: ignore[attr-defined]  # a closing has one
    log.append(Entry.of(EntryKind.END_ASKED, NOW, "AL", round=last.round_id))  # of no statement
    for number in (1, 2):
        log.sign(Outcomes(sequence=last.sequence + number, pairs=(), **fields), NOW)
    log.sign_anew(seen=[(log.size - 2, NOW)])
    log.cosign_at(log.size - 1, "RS")
    record = read_log(log.files.get, log.registry)
    (audit,) = audit_rounds(record, log.files.get, log.registry, group)
    found = last_statements(audit, record)[0]
    assert found == ("AL", last.sequence + 2, last.sequence, last.sequence + 1)
    assert any(
        "AL has cosigned no checkpoint that holds all that it said" in text_of(one.sentence) for one in audit.unproven
    )
    log.sign_anew(witnesses=())
    assert [one[2:] for one in last_statements(audit, replace(record, cosigned={}))] == [(0, 0)] * 3


def test_the_command_compares_logs(audited: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the logs of all parties, and strictly, honest logs pass; an older one than what was kept does not."""
    registry = ["--registry", str(audited / "matcher" / "registry.toml")]
    others = [word for code in CODES for word in ("--with", str(audited / f"{code}.tar"))]
    kept = tmp_path / "kept"
    kept.write_bytes(exported(audited, "matcher").files["checkpoint"])
    assert run(str(audited / "matcher.tar"), *registry, *others, "--strict", "--at-least", str(kept), "--json") == 0
    assert json.loads(capsys.readouterr().out)["unproven"] == []
    assert run(str(audited / "RS.tar"), *registry, "--at-least", str(kept)) == 1
    assert "the checkpoint is another log's" in capsys.readouterr().err
    assert run(str(audited / "RS.tar"), *registry, "--at-least", str(tmp_path / "none")) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_the_command_says_what_is_not_proven(audited: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is printed and passes, and fails where proof is asked for."""
    words = [str(audited / "matcher-for-SI.tar"), "--registry", str(audited / "matcher" / "registry.toml")]
    assert run(*words) == 0
    assert "NOT PROVEN: this copy leaves out" in capsys.readouterr().out
    assert run(*words, "--strict") == 1
    assert "this copy leaves out" in capsys.readouterr().err


def test_what_is_no_log_is_said(audited: Path, tmp_path: Path) -> None:
    registry = audited / "matcher" / "registry.toml"
    (tmp_path / "no.tar").write_bytes(b"nothing")
    assert run(str(tmp_path / "no.tar"), "--registry", str(registry)) != 0
    assert run(str(tmp_path / "missing.tar"), "--registry", str(registry)) != 0
    assert run(str(audited / "matcher.tar"), "--registry", str(tmp_path / "missing.toml")) != 0


def test_files_are_read_from_a_url(matchers_log: Exported, group: Group) -> None:
    """A log's folder behind any web server is checked file by file."""

    def serve(request: httpx.Request) -> httpx.Response:
        content = matchers_log.files.get(request.url.path.removeprefix("/log/"))
        return httpx.Response(404) if content is None else httpx.Response(200, content=content)

    files = open_bundle("http://127.0.0.1:1/log/", httpx.MockTransport(serve))
    record = read_log(files, matchers_log.registry)
    assert len(audit_rounds(record, files, matchers_log.registry, group)) == 1
    assert files("nothing") is None


@pytest.mark.parametrize("status", [500, 302])
def test_a_server_that_fails_is_said(status: int) -> None:
    files = open_bundle("http://127.0.0.1:1/log", httpx.MockTransport(lambda _: httpx.Response(status)))
    with pytest.raises(InputError, match="does not give its files"):
        files("checkpoint")


def test_a_server_that_is_away_is_said() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(InputError, match="cannot be reached"):
        open_bundle("http://127.0.0.1:1/log", httpx.MockTransport(refuse))("checkpoint")


def test_an_archive_with_a_file_twice_is_refused(tmp_path: Path) -> None:
    """Which of the two counts would be the reader's choice."""
    (tmp_path / "file").write_bytes(b"x")
    with tarfile.open(tmp_path / "twice.tar", "w") as archive:
        archive.add(tmp_path / "file", "checkpoint")
        archive.add(tmp_path / "file", "checkpoint")
    with pytest.raises(AquilaError, match="holds a file twice"):
        open_bundle(str(tmp_path / "twice.tar"))
