"""`aquila node backup`, `restore`, the same of `aquila matcher`, and `aquila backup-key`: they work on homes alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clients.cli.options import Json
from clients.cli.output.screen import Screen, Table, check_target, numbered
from clients.cli.prompts import read_file
from clients.cli.services import matcher, node
from clients.sdk import find_home

if TYPE_CHECKING:
    from aquila.crypto.keys import SealingKey
    from services.kit.administration.backup.archive import Head
    from services.kit.administration.backup.make import BackupSummary
    from services.kit.administration.backup.restore import BackupCheck, Source

BackupHome = Annotated[
    Path, typer.Option("--home", envvar="AQUILA_HOME", metavar="FOLDER", help="The home folder to back up.")
]
RestoreHome = Annotated[
    Path | None, typer.Option("--home", metavar="FOLDER", help="The new home: a folder that is missing or empty.")
]
Statements = Annotated[
    Path | None,
    typer.Option(
        "--registry",
        metavar="FILE",
        help="A party's file of `aquila party registry --out FILE`: registries that are newer than the backup.",
    ),
]
BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]
Recipient = Annotated[
    Path, typer.Option("--to", metavar="FILE", help="The public backup key to which the backup is sealed.")
]
NewFile = Annotated[Path, typer.Option("--out", metavar="FILE", help="The new file of the backup.")]
PrivateKey = Annotated[Path, typer.Option("--key", metavar="FILE", help="The private backup key.")]
OnlyCheck = Annotated[bool, typer.Option("--check", help="Verify the whole backup, and write nothing.")]
Secrets = Annotated[
    list[Path] | None,
    typer.Option(
        "--secret", metavar="FILE", help="A file from the safe for the new home, once for each: identity.pem first."
    ),
]
SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", metavar="FILE", help="Settings in place of those in the backup: another database, ..."),
]
Mark = Annotated[
    Path | None,
    typer.Option("--mark", metavar="FILE", help="keys/high-water.json of the lost machine, if it can be read."),
]
Erased = Annotated[
    Path | None,
    typer.Option(
        "--erased", metavar="FILE", help="Identifiers of records erased since the backup, one a line: erased again."
    ),
]


def backup_key(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The new file of the private key.")],
    as_json: Json = False,
) -> None:
    """Make a backup key: a private key for the safe, and a public one (FILE.pub). Not on the machine of a service.

    Services need the public key alone. Who has the private key can read every backup that is sealed to it; without it
    nobody can. It has three lines, to be printed and kept on paper.
    """
    from services.kit.administration.backup.keys import make_keys

    check_target(out)
    public = out.with_name(out.name + ".pub")
    name = make_keys(out, public)
    screen = Screen(as_json)
    screen.result(
        {"private": str(out), "public": str(public), "name": name},
        f"Private key: {out}. Keep it in a safe, on paper too, and never on the machine of a service.",
        f"Public key: {public}. Give it to the administrator of the service.",
        f"Name of the key: {name}",
    )


@node.app.command("backup")
def back_up_node(home: BackupHome, to: Recipient, out: NewFile, as_json: Json = False) -> None:
    """Back a node up while it runs: its database and settings, sealed to a backup key; no key and no secret."""
    from services.kit.administration.backup.keys import read_public
    from services.node.backup import back_up_node as back_up

    _show_made(Screen(as_json), out, back_up(find_home(home, "node").path, read_public(to), out))


@matcher.app.command("backup")
def back_up_matcher(home: BackupHome, to: Recipient, out: NewFile, as_json: Json = False) -> None:
    """Back the matcher up while it runs: its database and settings, sealed to a backup key; no key and no secret."""
    from services.kit.administration.backup.keys import read_public
    from services.matcher.backup import back_up_matcher as back_up

    _show_made(Screen(as_json), out, back_up(find_home(home, "matcher").path, read_public(to), out))


@node.app.command("restore")
def restore_node(
    file: BackupFile,
    key: PrivateKey,
    home: RestoreHome = None,
    check: OnlyCheck = False,
    secret: Secrets = None,
    settings: SettingsFile = None,
    mark: Mark = None,
    erased: Erased = None,
    as_json: Json = False,
) -> None:
    """Restore a node into a new home, or verify a backup with --check. Every round that was open is over for it."""
    from services.kit.administration.backup.keys import read_private
    from services.node.backup import check_node, restore_node

    screen = Screen(as_json)
    with read_private(key) as opened:
        if check:
            _show_checked(screen, check_node(file, opened))
            return
        new = _new_home(home)
        _without_log_lines()
        restored = restore_node(_source(file, opened, secret, settings), new, mark, _identifiers(erased))
    document = _document(restored.checked) | {
        "missing": list(restored.missing),
        "refused_rounds": restored.refused,
        "days_counted_as_used": restored.counted_days,
        "erased_again": restored.erased,
        "erased_unknown": restored.not_found,
        "erased_not_yet": restored.kept,
    }
    when = _time(restored.checked.head)
    sentences = [
        f"Restored to {new}, as it was on {when}. It signs nothing before the alarm is acknowledged.",
        f"Open rounds: {numbered(restored.refused, 'round')} refused for good.",
        f"Erased again: {numbered(restored.erased, 'record')}; {restored.not_found} of the identifiers are in no list.",
    ]
    if restored.counted_days:
        days = numbered(restored.counted_days, "day")
        sentences.append(f"Limits of evaluation: those of {days} count as used, since the high-water mark is lost.")
    if restored.kept:
        sentences.append(f"Not erased: {numbered(restored.kept, 'record')} of lists that were being prepared.")
    sentences += [f"The identity key was not in the backup: it is {one}." for one in _in_token(restored.checked.head)]
    screen.result(document, *sentences, *_missing(restored.missing))
    screen.note(
        "Repeat what was done since then: erasures (`aquila call erase_record`), and accounts that were deactivated "
        "(`aquila call post_deactivate`). Lists, decisions and requests of that time are gone."
    )
    screen.note(
        "Next: start the service (`systemctl start aquila-node` as root), then `aquila audit status` here and at the "
        "secretariat."
    )


@matcher.app.command("restore")
def restore_matcher(
    file: BackupFile,
    key: PrivateKey,
    home: RestoreHome = None,
    check: OnlyCheck = False,
    secret: Secrets = None,
    settings: SettingsFile = None,
    registry: Statements = None,
    as_json: Json = False,
) -> None:
    """Restore the matcher into a new home, or verify a backup with --check. It aborts every round that was open."""
    from services.kit.administration.backup.keys import read_private
    from services.matcher.backup import check_matcher, restore_matcher

    screen = Screen(as_json)
    with read_private(key) as opened:
        if check:
            _show_checked(screen, check_matcher(file, opened))
            return
        new = _new_home(home)
        _without_log_lines()
        statements = None if registry is None else read_file(registry).decode("utf-8", "replace")
        restored = restore_matcher(_source(file, opened, secret, settings), new, statements=statements)
    document = _document(restored.checked) | {
        "missing": list(restored.missing),
        "aborted_rounds": restored.aborted,
        "registry": restored.registry,
        "registries_taken": restored.taken,
    }
    when = _time(restored.checked.head)
    screen.result(
        document,
        f"Restored to {new}, as it was on {when}. It witnesses no log before the alarm is acknowledged.",
        f"Open rounds: {numbered(restored.aborted, 'round')} will be aborted when it starts.",
        f"Registry number {restored.registry} is in force here; {restored.taken} of them came with --registry. If a "
        "party's `aquila party registry` shows a higher number, change nothing in the registry: restore once more, "
        "with that party's file (`aquila party registry --out FILE`) as --registry.",
        *(f"The identity key was not in the backup: it is {one}." for one in _in_token(restored.checked.head)),
        *_missing(restored.missing),
    )
    screen.note(
        "Next: start the service (`systemctl start aquila-matcher` as root), then `aquila audit status` here and at "
        "every party."
    )


def _without_log_lines() -> None:
    """Keep log lines out of the output: a restore raises an alarm, which the output explains."""
    logging.getLogger("aquila").addHandler(logging.NullHandler())


def _new_home(home: Path | None) -> Path:
    if home is None:
        raise typer.BadParameter("a restore needs --home, a verification --check")
    return home


def _source(file: Path, key: SealingKey, secret: list[Path] | None, settings: Path | None) -> Source:
    from services.kit.administration.backup.restore import Source

    return Source(file, key, secret or [], settings)


def _identifiers(file: Path | None) -> Sequence[str]:
    if file is None:
        return ()
    return [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def _show_made(screen: Screen, out: Path, made: BackupSummary) -> None:
    document = {
        "file": str(out),
        "bytes": made.size,
        "created_at": made.head.created_at,
        "rows": made.rows,
        "files": list(made.files),
        "needed": [one.model_dump(mode="json") for one in made.head.needed],
    }
    secrets = ", ".join(one.file for one in made.head.needed if one.secret)
    others = ", ".join(one.file for one in made.head.needed if not one.secret)
    sentences = [
        f"Backed up to {out}: {numbered(sum(made.rows.values()), 'row')}, {made.size:,} bytes.",
        f"Files in it: {', '.join(made.files)}.",
        f"Not in it, because they are secret: {secrets}.",
    ]
    if others:
        sentences.append(f"Not in it, because they lie elsewhere: {others}.")
    screen.result(document, *sentences)


def _show_checked(screen: Screen, checked: BackupCheck) -> None:
    head = checked.head
    rows = [(name, f"{count:,}") for name, count in sorted(checked.rows.items()) if count]
    in_token = [f"The identity key is not in it: {one}. A restore needs that token." for one in _in_token(head)]
    screen.result(
        _document(checked),
        Table("", ("table", "rows"), rows),
        f"A {head.service} of {head.party}, as it was on {_time(head)}; release {head.release}, {head.database}.",
        f"Signed by the identity key {head.key.short_fingerprint}, which a restore needs from the safe: compare it "
        f"with the card of {head.party}.",
        f"Whole, and its log of {numbered(head.log_size, 'entry', 'entries')} verifies.",
        *in_token,
    )


def _document(checked: BackupCheck) -> dict[str, Any]:
    head = checked.head
    return {
        "service": head.service,
        "party": head.party,
        "release": head.release,
        "revision": head.revision,
        "created_at": head.created_at,
        "fingerprint": head.key.fingerprint,
        "log_size": head.log_size,
        "log_root": head.log_root,
        "rows": checked.rows,
        "files": sorted(checked.files),
        "identity_in_token": ", ".join(_in_token(head)),
    }


def _in_token(head: Head) -> list[str]:
    """Return which key of which token signs for the service, if its identity key is in one."""
    from services.kit.administration.backup.home import TOKEN

    return [one.file for one in head.needed if one.setting == TOKEN]


def _missing(missing: Sequence[str]) -> list[str]:
    """Return the files that the home lacks, and the consequence where one is the key of people."""
    found = [f"Missing in the new home: {', '.join(missing)}."] if missing else []
    if "people.key" in missing:
        found.append(
            "Without people.key nobody can sign in before `aquila call post_reset person=LOGIN` and a new enrolment: "
            "if the safe has it, restore once more into an empty home, with --secret people.key."
        )
    return found


def _time(head: Head) -> str:
    return datetime.fromtimestamp(head.created_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
