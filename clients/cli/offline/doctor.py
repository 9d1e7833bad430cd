"""`aquila doctor`: what is wrong with a service's home and its surroundings, and what to do."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from aquila.errors import AquilaError
from aquila.interface.service.health import Grade
from aquila.protocol.registry import read_registry
from clients.cli.exit_codes import ExitCode
from clients.cli.options import Json
from clients.cli.output.screen import Screen, Table, numbered
from clients.sdk import find_home
from services.kit.administration import doctor as kit
from services.kit.administration.backup.home import BackedService
from services.kit.administration.doctor import Finding, Findings, critical, examined, fine
from services.kit.http.signatures import now
from services.kit.people.keys import row_key_of
from services.kit.serving.notifications.driver import DeliveryError, sign_in
from services.kit.settings import MailSettings
from services.kit.storage.registry import in_force
from services.kit.storage.row_seals import ROW_KEY, SealedSession
from services.matcher.main import BACKED as MATCHER
from services.matcher.settings import MatcherSettings
from services.node.main import BACKED as NODE
from services.node.rounds.reported_hits import missing_hits, stored_by_receipts
from services.node.safeguards.registry import stated
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
    service = NODE if find_home(home).service == "node" else MATCHER
    try:
        settings = service.load(home)
    except AquilaError as error:
        yield Finding("settings", Grade.CRITICAL, error.sentence)
        return
    node = settings if isinstance(settings, NodeSettings) else None
    code = node.code if node is not None else "matcher"
    checks: list[tuple[str, Callable[[], Findings]]] = [
        ("home", partial(kit.examine_rights, settings)),
        ("files", partial(kit.examine_files, settings)),
        ("identity", partial(kit.examine_identity, settings)),
        ("registry", partial(kit.examine_registry, settings, code)),
        ("disk", partial(kit.examine_disk, settings)),
        ("certificates", partial(kit.examine_certificates, settings, None if node is None else node.matcher, now())),
        ("database", partial(kit.examine_database, service, settings, now())),
    ]
    if node is not None:
        checks.append(("hits", partial(_examine_hits, service, node)))
    if not offline:
        if settings.executor == "dask":
            checks.append(("workers", partial(kit.examine_cluster, settings)))
        checks.append(("service", partial(kit.examine_own_address, settings)))
        if node is not None:
            checks.append(("matcher", partial(_examine_matcher, service, node)))
        told = settings.notifications if isinstance(settings, NodeSettings | MatcherSettings) else None
        if told is not None and told.mail is not None:
            checks.append(("mail", partial(_examine_mail, told.mail)))
        if settings.provider is not None:
            checks.append(("provider", partial(kit.examine_provider, settings.provider)))
    for subject, check in checks:
        yield from examined(subject, check)


def _examine_matcher(service: BackedService, node: NodeSettings) -> Findings:
    """Yield findings about the matcher, at the address of the registry in force where the node follows it."""
    matcher = node.matcher
    # A database that cannot be read has its own finding.
    with suppress(SQLAlchemyError), kit.reading(service, node) as connection:
        if connection is not None and node.registry.exists():
            registry = read_registry(node.registry.read_bytes())
            with Session(connection) as session:
                matcher = stated(matcher, in_force(session, registry), node.home)
    yield from kit.examine_peer("matcher", matcher, now)


def _examine_hits(service: BackedService, node: NodeSettings) -> Findings:
    """Yield a finding for each round of which hits are gone from the database."""
    # A database that cannot be read has its own finding.
    with suppress(SQLAlchemyError), kit.reading(service, node) as connection:
        if connection is not None:
            with SealedSession(connection, info={ROW_KEY: row_key_of(node.home)}) as session:
                gone = missing_hits(session, stored_by_receipts(session))
            for round_id, count in sorted(gone.items()):
                yield critical("hits", "health_hits_missing", round=round_id, count=count)


def _examine_mail(settings: MailSettings) -> Findings:
    """Yield a finding about the mail server, to which nothing is sent."""
    try:
        sign_in(settings)
    except DeliveryError as error:
        yield critical("mail", "doctor_mail_failed", host=settings.host, failure=error.failure.value)
    else:
        yield fine("mail", "doctor_reached", host=settings.host)
