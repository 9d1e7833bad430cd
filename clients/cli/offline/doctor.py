"""`aquila doctor`: what is wrong with a service's home and its surroundings, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aquila.errors import AquilaError
from aquila.interface.service.health import Grade
from aquila.protocol.registry import read_registry
from clients.cli.exit_codes import ExitCode
from clients.cli.options import Json
from clients.cli.output.screen import Screen, Table, numbered
from clients.sdk import find_home
from services.kit.http.signatures import now
from services.kit.settings import KeyedSettings

if TYPE_CHECKING:
    from services.kit.administration.backup.home import BackedService
    from services.kit.administration.doctor import Finding, Findings
    from services.kit.settings import MailSettings
    from services.node.settings import NodeSettings


def doctor(
    home: Annotated[
        Path, typer.Option("--home", envvar="AQUILA_HOME", metavar="FOLDER", help="The home folder to look at.")
    ],
    offline: Annotated[bool, typer.Option("--offline", help="Call no other service.")] = False,
    as_json: Json = False,
) -> None:
    """Look at a service's home, settings, certificates, database, disk, clock and surroundings, and state what to do.

    It changes nothing. Run it as the service's user, on its machine. The exit status is 1 if something is critical.
    """
    found = list(_examine(home, offline=offline))
    worst = [grade for grade in (Grade.CRITICAL, Grade.WARNING) if any(one.grade is grade for one in found)]
    document = {
        "grade": (worst[0] if worst else Grade.OK).value,
        "findings": [
            {
                "subject": one.subject,
                "grade": one.grade.value,
                "code": one.sentence.code,
                "text": one.text,
                "hint": one.hint,
            }
            for one in found
        ],
    }
    rows = [(one.grade.value, one.subject, one.text, one.hint) for one in found]
    faults = sum(one.grade is Grade.CRITICAL for one in found)
    warnings = sum(one.grade is Grade.WARNING for one in found)
    summary = f"{numbered(faults, 'critical finding')}, {numbered(warnings, 'warning')}."
    Screen(as_json).result(document, Table("", ("", "about", "finding", "what to do"), rows), summary)
    if faults:
        raise typer.Exit(ExitCode.REFUSED)


def _examine(home: Path, *, offline: bool) -> Iterator[Finding]:
    """Yield all findings, those of the home first."""
    from services.kit.administration import doctor
    from services.kit.administration.doctor import Finding, examined

    service = _service(find_home(home).service)
    try:
        settings = service.load(home)
    except AquilaError as error:
        yield Finding("settings", Grade.CRITICAL, error.sentence)
        return
    node = _node(settings)
    code = node.code if node is not None else "matcher"
    checks: list[tuple[str, Callable[[], Findings]]] = [
        ("home", partial(doctor.examine_rights, settings)),
        ("files", partial(doctor.examine_files, settings)),
        ("identity", partial(doctor.examine_identity, settings)),
        ("registry", partial(doctor.examine_registry, settings, code)),
        ("disk", partial(doctor.examine_disk, settings)),
        ("certificates", partial(doctor.examine_certificates, settings, None if node is None else node.matcher, now())),
        ("database", partial(doctor.examine_database, service, settings, now())),
    ]
    if node is not None:
        checks.append(("hits", partial(_examine_hits, service, node)))
    if not offline:
        if settings.executor == "dask":
            checks.append(("workers", partial(doctor.examine_cluster, settings)))
        checks.append(("service", partial(doctor.examine_own_address, settings)))
        if node is not None:
            checks.append(("matcher", partial(_examine_matcher, service, node)))
        if (mail := _mail(settings)) is not None:
            checks.append(("mail", partial(_examine_mail, mail)))
        if settings.provider is not None:
            checks.append(("provider", partial(doctor.examine_provider, settings.provider)))
    for subject, check in checks:
        yield from examined(subject, check)


def _service(name: str) -> BackedService:
    """Return the facts of a service by its name."""
    if name == "node":
        from services.node.backup import SERVICE

        return SERVICE
    from services.matcher.backup import SERVICE as MATCHER

    return MATCHER


def _node(settings: KeyedSettings) -> NodeSettings | None:
    """Return the settings if they are a node's."""
    from services.node.settings import NodeSettings

    return settings if isinstance(settings, NodeSettings) else None


def _examine_matcher(service: BackedService, node: NodeSettings) -> Findings:
    """Yield findings about the matcher, at the address of the registry in force where the node follows it."""
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.orm import Session

    from services.kit.administration import doctor
    from services.kit.storage.registry import in_force
    from services.node.safeguards.registry import stated

    matcher = node.matcher
    # A database that cannot be read has its own finding.
    with suppress(SQLAlchemyError), doctor.reading(service, node) as connection:
        if connection is not None and node.registry.exists():
            registry = read_registry(node.registry.read_bytes())
            with Session(connection) as session:
                matcher = stated(matcher, in_force(session, registry), node.home)
    yield from doctor.examine_peer("matcher", matcher, now)


def _examine_hits(service: BackedService, node: NodeSettings) -> Findings:
    """Yield a finding for each round of which hits are gone from the database."""
    from sqlalchemy.exc import SQLAlchemyError

    from services.kit.administration import doctor
    from services.kit.administration.doctor import critical
    from services.kit.people.keys import row_key_of
    from services.kit.storage.row_seals import ROW_KEY, SealedSession
    from services.node.rounds.reported_hits import missing_hits, stored_by_receipts

    # A database that cannot be read has its own finding.
    with suppress(SQLAlchemyError), doctor.reading(service, node) as connection:
        if connection is not None:
            with SealedSession(connection, info={ROW_KEY: row_key_of(node.home)}) as session:
                gone = missing_hits(session, stored_by_receipts(session))
            for round_id, count in sorted(gone.items()):
                yield critical("hits", "health_hits_missing", round=round_id, count=count)


def _mail(settings: KeyedSettings) -> MailSettings | None:
    """Return the mail server of a service, if its settings name one."""
    from services.matcher.settings import MatcherSettings
    from services.node.settings import NodeSettings

    named = settings.notifications if isinstance(settings, NodeSettings | MatcherSettings) else None
    return named.mail if named is not None else None


def _examine_mail(settings: MailSettings) -> Findings:
    """Yield a finding about the mail server, to which nothing is sent."""
    from services.kit.administration.doctor import critical, fine
    from services.kit.serving.notifications.driver import DeliveryError, sign_in

    try:
        sign_in(settings)
    except DeliveryError as error:
        yield critical("mail", "doctor_mail_failed", host=settings.host, failure=error.failure.value)
    else:
        yield fine("mail", "doctor_reached", host=settings.host)
