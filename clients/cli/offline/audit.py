"""`aquila audit`: export a log, look at it, and check all that it claims, offline."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from aquila.audit.checkpoint import parse_checkpoint
from aquila.audit.proven_entry import read_proven_entry
from aquila.crypto.backend import load_group
from aquila.crypto.keys import short_digits
from aquila.errors import AquilaError, InputError
from aquila.interface.log import LogAlarmView
from aquila.protocol import auditing
from aquila.protocol.published_report import check_report
from aquila.protocol.registry import MATCHER, Registry, read_registry
from aquila.sentences import text_of
from clients.cli.connect import ConnectedService
from clients.cli.options import Json
from clients.cli.output.screen import Screen, Table, check_target, numbered, write_result
from clients.cli.services.speaking import speaking
from clients.sdk.bundles import open_bundle

app = typer.Typer(no_args_is_help=True)


@app.command()
def entry(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An entry's proof, as its page gives it.")],
    registry: Annotated[Path, typer.Option(metavar="FILE", help="The registry file with the parties' public keys.")],
    as_json: Json = False,
) -> None:
    """Check that one entry is in a log, offline, by its proof. Exit status 1 and the reason where it is not shown."""
    pinned = read_registry(_content(registry))
    proven = read_proven_entry(_content(file))
    named = parse_checkpoint(proven.note.text).origin
    holder = next((one for one in (MATCHER, *pinned.parties) if pinned.origin_of(one) == named), MATCHER)
    checkpoint = proven.verify(pinned.origin_of(holder), *pinned.keys_of(holder))
    witnesses = {one: at for one, _, at in pinned.cosigners(proven.note, holder)}
    head = _head(proven.note.to_bytes().decode())
    document = {"holder": holder, "index": proven.index, "entries": checkpoint.size, "witnesses": witnesses}
    Screen(as_json).result(
        document | {"entry": proven.entry.model_dump(mode="json")},
        f"Entry {proven.index} is in the log of {holder}, among {checkpoint.size} entries{head}.",
        Table("Witnesses of this checkpoint", ("witness", "at"), [(one, _time(at)) for one, at in witnesses.items()]),
        proven.entry.content().decode(),
    )


_Registry = Annotated[Path, typer.Option(metavar="FILE", help="The registry file with the parties' public keys.")]
_Retention = Annotated[
    int, typer.Option(min=1, metavar="DAYS", help="For how many days the contents of entries must be kept.")
]
_With = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="PATH|URL", help="Another party's log, to compare with; can be repeated."),
]
_AtLeast = Annotated[
    Path | None, typer.Option(metavar="NOTE", help="A checkpoint of this log that was kept: refuse what is older.")
]


@app.command()
@speaking
def status(reached: ConnectedService, screen: Screen) -> None:
    """Show a service's log at a glance: its size and head, who witnessed it, and alarms."""
    view = reached.log.view()
    witnesses = [(cosigned.witness, cosigned.size, _time(cosigned.at)) for cosigned in view.witnesses]
    alarms = [
        (alarm.alarm_id, alarm.what, "acknowledged" if alarm.acknowledged_at else "open", alarm.sentence.text)
        for alarm in view.alarms
    ]
    newer = numbered(view.newer, "newer entry", "newer entries")
    screen.result(
        view.model_dump(mode="json"),
        f"{view.origin}: {view.size} entries{_head(view.checkpoint)}",
        *([f"{newer} will be in the next checkpoint."] if view.newer else []),
        Table("Witnesses", ("witness", "cosigned entries", "at"), witnesses),
        *([Table("Alarms", ("number", "what", "state", "sentence"), alarms)] if alarms else []),
        *(_evidence(alarm) for alarm in view.alarms if not alarm.acknowledged_at),
    )


def _evidence(alarm: LogAlarmView) -> str:
    """Return the sentence by which the owner of a log and the one who has the alarm compare it by telephone."""
    seen, found = _size_and_head(alarm.seen), _size_and_head(alarm.got)
    return f"Alarm {alarm.alarm_id} is over the log {alarm.origin}: seen before {seen}; found then {found}."


def _size_and_head(note: str) -> str:
    try:
        size = parse_checkpoint(note.partition("\n\n")[0] + "\n").size
    except AquilaError:
        return "none"
    return f"{size} entries{_head(note)}"


def _head(checkpoint: str) -> str:
    """Return words with the first digits of a log's head, to be compared by telephone; none for no log."""
    if not checkpoint:
        return ""
    signed = parse_checkpoint(checkpoint.partition("\n\n")[0] + "\n")
    return f", head {short_digits(signed.root.hex())}"


@app.command()
@speaking
def export(
    reached: ConnectedService,
    screen: Screen,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the archive goes.")],
    matcher: Annotated[
        bool, typer.Option("--matcher", help="At a node: the matcher's log, with the rounds that name this party.")
    ] = False,
) -> None:
    """Export a service's log as a tar archive: checkpoints, tiles, entries and the signed statements."""
    check_target(out)
    content = reached.log.export_matchers() if matcher else reached.log.export()
    write_result(out, content)
    screen.result({"file": str(out), "bytes": len(content)}, f"The log is in {out}.")


@app.command()
def verify(
    place: Annotated[str, typer.Argument(metavar="PATH|URL", help="An exported log: folder, archive, or URL.")],
    registry: _Registry,
    others: _With = None,
    at_least: _AtLeast = None,
    strict: Annotated[bool, typer.Option("--strict", help="Also fail if anything is not proven.")] = False,
    retention_days: _Retention = 1_095,
    as_json: Json = False,
) -> None:
    """Check everything that a log claims, offline. Exit status 1 and the first thing that is wrong, and where."""
    pinned = read_registry(_content(registry))
    log, rounds = _audited(place, pinned, retention_days)
    if at_least is not None:
        auditing.check_at_least(log, _content(at_least), pinned)
    beside = [_audited(other, pinned, retention_days) for other in others or ()]
    against = [other for other, _ in beside]
    compared = list(auditing.compare([log, *against], pinned))
    claims = [*log.unproven, *(found for audit in rounds for found in audit.unproven), *compared]
    unproven = auditing.still_unproven(claims, against)
    if strict:
        auditing.refuse_unproven(unproven)
    open_points = _not_compared(log, rounds, against, at_least is not None)
    document = _document(log, rounds, unproven) | {"not_checked": open_points}
    Screen(as_json).result(document, *_views(log, rounds, unproven), *(f"NOT CHECKED: {one}." for one in open_points))


_FORMER = (
    "This key was replaced. Only the matcher's log shows that it signed the report while it counted: an entry "
    "report_signed with the file's SHA-256 stands before the entry key_replaced."
)


@app.command()
def report(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The report as it was published, a PDF.")],
    signature: Annotated[Path, typer.Option(metavar="FILE", help="The signature file beside it.")],
    registry: _Registry,
    as_json: Json = False,
) -> None:
    """Check that a published report is the one that the matcher signed, and show which log it names. Works offline."""
    found = check_report(_content(file), _content(signature), read_registry(_content(registry)))
    said = found.report
    document = {
        **said.model_dump(mode="json", exclude={"checkpoint"}),
        "signed_by": found.signer.fingerprint,
        "former_key": found.is_former,
        "log": found.checkpoint.origin,
        "entries": found.checkpoint.size,
        "head": found.checkpoint.root.hex(),
        "cosigned": dict(found.cosigned),
    }
    witnesses = [(party, _time(at)) for party, at in found.cosigned.items()]
    Screen(as_json).result(
        document,
        f"{said.title}: signed by the matcher on {_time(said.issued_at)} with the key "
        f"{short_digits(found.signer.fingerprint)}.",
        *([_FORMER] if found.is_former else ()),
        f"It names the log {found.checkpoint.origin}: {numbered(found.checkpoint.size, 'entry', 'entries')}, head "
        f"{found.checkpoint.root.hex()}.",
        Table("Who cosigned that head", ("party", "at"), witnesses),
    )


def _content(path: Path) -> bytes:
    """Return the content of a file that an option names; raises InputError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError("option_file_unreadable", file=str(path), path=path, fault=error.strerror) from None


def _audited(
    place: str, registry: Registry, retention_days: int
) -> tuple[auditing.LogRecord, list[auditing.RoundAudit]]:
    """Check a log by itself; raises as `read_log` and `audit_rounds` do."""
    files = open_bundle(place)
    log = auditing.read_log(files, registry, retention_days)
    return log, auditing.audit_rounds(log, files, registry, load_group())


def _views(
    log: auditing.LogRecord, rounds: list[auditing.RoundAudit], unproven: list[auditing.UnprovenClaim]
) -> list[Table | str]:
    witnesses = [(holder, max(sizes), _time(max(sizes.values()))) for holder, sizes in sorted(log.cosigned.items())]
    views: list[Table | str] = [
        f"The log of {log.holder} holds together: {log.checkpoint.size} entries, {len(log.saved)} checkpoints"
        + (f", {log.erased} contents erased after their time." if log.erased else "."),
        Table("Witnesses", ("witness", "cosigned entries", "last at"), witnesses),
        Table(
            "What shows the content of entries",
            ("shown by", "entries"),
            list(auditing.count_shown(log.entries).items()),
        ),
    ]
    views += _not_checked(log, rounds)
    if rounds:
        rows = [
            (
                audit.round.round_id[:8] + (" (in part)" if audit.left_out else ""),
                audit.round.phase.value,
                ", ".join(audit.round.participants),
                len(audit.round.submissions),
                len(audit.round.evaluations),
                sum(sum(counts.values()) for counts in audit.matched.values()),
            )
            for audit in rounds
        ]
        columns = ("round", "phase", "participants", "submissions", "evaluations", "hits")
        views.append(Table("Rounds that hold together", columns, rows))
    views += _last_statements(log, rounds)
    return views + [f"NOT PROVEN: {text_of(found.sentence)}." for found in unproven]


def _not_compared(
    log: auditing.LogRecord, rounds: list[auditing.RoundAudit], against: list[auditing.LogRecord], kept: bool
) -> list[str]:
    """State the limits of a log alone, without another log or kept checkpoint to compare with."""
    found = []
    if not kept and not any(other.holder == log.holder or log.holder in other.seen for other in against):
        found.append(
            f"whether there is a newer log than this export, of which the newest entry or cosignature is of "
            f"{_time(log.newest)}: compare it with a checkpoint that was kept (--at-least NOTE) or with the log of "
            "another party (--with)"
        )
    silent = {party for audit in rounds for party in audit.last_words} - {other.holder for other in against}
    if silent:
        found.append(
            f"whether {', '.join(sorted(silent))} said more after the last statement here: no cosignature tells, "
            "the party's own log does (--with)"
        )
    return found


def _last_statements(log: auditing.LogRecord, rounds: list[auditing.RoundAudit]) -> list[Table | str]:
    """Show how far each party's statements reach, and how far witnesses cover them."""
    rows = [(audit.round.round_id[:8], *last) for audit in rounds for last in auditing.last_statements(audit, log)]
    columns = ("round", "party", "last statement", "cosigned by itself up to", "by any witness up to")
    return [Table("Statements", columns, rows)] if rows else []


def _not_checked(log: auditing.LogRecord, rounds: list[auditing.RoundAudit]) -> list[str]:
    """State the parts that a copy omits, and that were therefore not checked."""
    if not log.left_out.count:
        return []
    sentence = (
        f"NOT CHECKED: this copy leaves out {log.left_out.count} of {log.checkpoint.size} entries, by its owner's "
        "word; of these only the hash of the leaf was checked, not what they say."
    )
    lacking = [
        f"NOT CHECKED: of round {audit.round.round_id[:8]} {audit.left_out} entries are left out, so its completeness, "
        "its hits and its statistics were not checked; numbers of statements were, where as many may be missing, and "
        "cosignatures and named heads of the log."
        for audit in rounds
        if audit.left_out
    ]
    return [sentence, *lacking]


def _document(
    log: auditing.LogRecord, rounds: list[auditing.RoundAudit], unproven: list[auditing.UnprovenClaim]
) -> dict[str, object]:
    return {
        "holder": log.holder,
        "origin": log.checkpoint.origin,
        "entries": log.checkpoint.size,
        "erased": log.erased,
        "left_out": log.left_out.count,
        "left_out_of_rounds": dict(sorted(log.left_out.rounds.items())),
        "shown_by": auditing.count_shown(log.entries),
        "checkpoints": len(log.saved),
        "witnesses": {holder: max(sizes) for holder, sizes in sorted(log.cosigned.items())},
        "rounds": [json.loads(audit.statistics.to_bytes()) for audit in rounds],
        "statements": {
            audit.round.round_id: {last.party: last._asdict() for last in auditing.last_statements(audit, log)}
            for audit in rounds
        },
        "unproven": [{"what": found.what, "sentence": text_of(found.sentence)} for found in unproven],
    }


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
