"""The head that `aquila audit status` shows, for people who compare it by telephone."""

from aquila.audit.checkpoint import Checkpoint
from aquila.interface.log import LogAlarmView
from aquila.interface.sentence import SentenceView
from aquila.sentences import quoted
from clients.cli.offline.audit import _evidence, _head

ROOT = bytes(range(32))


def test_the_head_is_that_of_the_signed_note() -> None:
    """Its first 80 bits, in groups; nothing while the log is empty."""
    note = f"{Checkpoint('aquila/matcher', 7, ROOT).text()}\n— aquila/matcher AAAA\n"
    assert _head(note) == ", head 0001 0203 0405 0607 0809"
    assert _head("") == ""


def test_an_alarm_has_sizes_and_heads_of_both_checkpoints() -> None:
    """In the same groups as the owner's own head, and with the name of the log that they are of."""
    notes = [f"{Checkpoint('aquila/SI', n, bytes([n]) * 32).text()}\n— aquila/SI AAAA\n" for n in (9, 7)]
    alarm = LogAlarmView(
        alarm_id=3,
        origin="aquila/SI",
        what="shrunk",
        sentence=SentenceView.of(quoted("it shrank")),
        seen=notes[0],
        got=notes[1],
        found_at=1,
        acknowledged_at=None,
        acknowledged_by=None,
    )
    assert _evidence(alarm) == (
        "Alarm 3 is over the log aquila/SI: seen before 9 entries, head 0909 0909 0909 0909 0909; "
        "found then 7 entries, head 0707 0707 0707 0707 0707."
    )
    assert "seen before none; found then none" in _evidence(alarm.model_copy(update={"seen": "", "got": ""}))
