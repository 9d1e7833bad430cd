"""A party's copy of the matcher's log: entries of its rounds alone, and an audit that says what it did not check."""

import json
from pathlib import Path

import pytest

from aquila.audit.entries import LEFT_OUT_FILE, EntryKind
from aquila.crypto.group import Group
from aquila.errors import AuditError
from aquila.protocol.auditing import audit_rounds, read_log
from aquila.protocol.log_entries import discloses_hits
from aquila.protocol.rounds.round_state import ReportKey
from clients.cli.main import main
from tests.support.exported import Exported, exported


@pytest.fixture
def copy(audited: Path) -> Exported:
    return exported(audited, "matcher-for-SI")


def leave_out(log: Exported, *indices: int, rounds: dict[str, int] | None = None) -> None:
    listed = json.loads(log.files[LEFT_OUT_FILE])
    every = sorted({*(n for first, end in listed["entries"] for n in range(first, end)), *indices})
    listed["entries"] = [[index, index + 1] for index in every]
    log.files[LEFT_OUT_FILE] = json.dumps(listed | {"rounds": rounds or {}}).encode()
    for index in indices:
        log.contents[index] = log.envelopes[index] = b""
    log.write_bundles()


def in_part(log: Exported) -> str:
    """Leave out what tells of a query and the last of the lists that it meets."""
    there = [index for index in range(log.size) if log.contents[index]]
    told = [log.entry(index) for index in there if log.entry(index).kind is EntryKind.REPORT]
    told = [entry for entry in told if entry.ids["of"] == "query"]
    asker = str(told[-1].recipient)
    untold = {ReportKey(asker, str(told[-1].ids["counterpart"]), str(told[-1].ids["submission"]))}
    gone = [index for index in there if discloses_hits(log.entry(index), untold)]
    assert {log.entry(index).kind for index in gone} >= {EntryKind.MATCH, EntryKind.REPORT, EntryKind.RECEIPT}
    assert len([entry for entry in told if not discloses_hits(entry, untold)]) == 2
    round_id = str(log.entry(gone[0]).round)
    leave_out(log, *gone, rounds={round_id: len(gone)})
    return round_id


def test_it_has_the_rounds_that_name_the_party(copy: Exported, group: Group) -> None:
    """All entries of the round are there and checked; what the secretariat's people did besides is leaves alone."""
    record = read_log(copy.files.get, copy.registry)
    (audit,) = audit_rounds(record, copy.files.get, copy.registry, group)
    assert audit.left_out == 0
    kept = {entry.kind for entry in record.entries if entry is not None and entry.round is None}
    assert kept == set()
    assert record.left_out.count == record.entries.count(None) > 0
    assert record.erased == 0
    assert EntryKind.MATCH in {entry.kind for entry in record.entries if entry is not None}


def test_the_command_says_what_it_did_not_check(
    audited: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    place, registry = str(audited / "matcher-for-SI.tar"), str(audited / "matcher" / "registry.toml")
    assert main(["audit", "verify", place, "--registry", registry]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert main(["audit", "verify", place, "--registry", registry, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["left_out"] > 0
    assert f"NOT CHECKED: this copy leaves out {document['left_out']} of {document['entries']} entries" in said


def test_a_round_that_lacks_entries_is_checked_in_part(copy: Exported, group: Group) -> None:
    """Without a query's matches and reports the round is taken through, and its completeness is not vouched for."""
    round_id = in_part(copy)
    (audit,) = audit_rounds(read_log(copy.files.get, copy.registry), copy.files.get, copy.registry, group)
    assert audit.left_out == json.loads(copy.files[LEFT_OUT_FILE])["rounds"][round_id] > 0
    assert audit.round.submissions


def test_what_is_checked_of_such_a_round_is_said(
    copy: Exported, tmp_path: Path, audited: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    round_id = in_part(copy)
    for name, content in copy.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert main(["audit", "verify", str(tmp_path), "--registry", str(audited / "matcher" / "registry.toml")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"NOT CHECKED: of round {round_id[:8]}" in said
    assert "numbers of statements were, where as many may be missing, and cosignatures and named heads" in said


def test_cosignatures_are_checked_of_such_a_round(copy: Exported, group: Group) -> None:
    in_part(copy)
    for name in [name for name in copy.files if name.startswith("checkpoint") and not name.endswith("index")]:
        lines = copy.files[name].split(b"\n")
        copy.files[name] = b"\n".join(line for line in lines if b"aquila-witness/RS" not in line)
    record = read_log(copy.files.get, copy.registry)
    with pytest.raises(AuditError, match="RS worked in it and cosigned no checkpoint"):
        audit_rounds(record, copy.files.get, copy.registry, group)


def test_a_round_that_lacks_entries_unsaid_is_refused(copy: Exported, group: Group) -> None:
    """A matcher that lists an entry and does not count it in its round has a round that does not hold together."""
    leave_out(copy, copy.index("report"))
    record = read_log(copy.files.get, copy.registry)
    with pytest.raises(AuditError):
        audit_rounds(record, copy.files.get, copy.registry, group)


def test_a_round_lacks_no_more_than_is_left_out(log: Exported) -> None:
    """Else a log that leaves nothing out could have its rounds checked in part alone, and a strict audit pass."""
    round_id = str(log.entry(log.index("proposal")).round)
    for entries, lacking in (([], 1), ([[3, 5]], 3)):
        log.files[LEFT_OUT_FILE] = json.dumps({"entries": entries, "rounds": {round_id: lacking}}).encode()
        with pytest.raises(AuditError, match="its rounds lack more entries than are left out"):
            read_log(log.files.get, log.registry)


def test_an_entry_that_is_not_listed_may_not_be_missing(copy: Exported) -> None:
    del copy.files[LEFT_OUT_FILE]
    with pytest.raises(AuditError, match="its content is gone"):
        read_log(copy.files.get, copy.registry)


def test_an_entry_that_is_listed_may_not_be_there(copy: Exported) -> None:
    listed = json.loads(copy.files[LEFT_OUT_FILE])
    copy.files[LEFT_OUT_FILE] = json.dumps(listed | {"entries": [[0, copy.size]]}).encode()
    with pytest.raises(AuditError, match="is not left out"):
        read_log(copy.files.get, copy.registry)
