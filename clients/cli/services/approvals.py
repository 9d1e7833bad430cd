"""`aquila approval`: what one person asked for, and what another decides about exactly that."""

import json
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from aquila.errors import InputError
from aquila.interface.approval import ApprovalEntry, ApprovalKind, PendingApproval
from aquila.protocol.messages import Kind
from clients.cli.connect import ConnectedService, resolve_id
from clients.cli.output.registry_views import asked_changes
from clients.cli.output.round_views import asked_views, warn_of_declared
from clients.cli.output.screen import Screen, Table
from clients.cli.services.speaking import speaking

app = typer.Typer()
SHORT = 8

ApprovalId = Annotated[
    str,
    typer.Argument(metavar="REQUEST", help="The request's id, its beginning, or `latest` for the first that waits."),
]
Digest = Annotated[
    str | None,
    typer.Option(metavar="DIGEST", help="The digest in `list --json`, or its first 16 digits; scripts need it."),
]
_LEAST_DIGEST = 16


@app.command("list")
@speaking
def list_approvals(reached: ConnectedService, screen: Screen) -> None:
    """List the requests, those that wait for a second person first."""
    found = reached.approvals.approvals()
    rows = [
        (
            entry.approval_id[:SHORT],
            entry.kind.value,
            (entry.round_id or "")[:SHORT],
            entry.state.value,
            "you" if entry.own else entry.author,
            entry.decided_by or "",
            entry.reason or "",
        )
        for entry in found.approvals
    ]
    columns = ("request", "for a", "round", "state", "asked by", "decided by", "reason")
    views = [Table("", columns, rows)] if rows else ["Nothing was asked for yet."]
    screen.result(found.model_dump(mode="json"), *views)


@app.command()
@speaking
def approve(reached: ConnectedService, screen: Screen, approval_id: ApprovalId, digest: Digest = None) -> None:
    """Approve exactly the content of a digest: it takes effect at once.

    Without --digest it shows the content and asks; nothing is approved that was not shown.
    """
    ids = [entry.approval_id for entry in reached.approvals.approvals().approvals]
    chosen = resolve_id("request", approval_id, ids)
    entry = reached.approvals.approve(chosen, _read_digest(screen, reached, chosen, digest))
    screen.result(entry.model_dump(mode="json"), f"The {_what(entry)} is {entry.state.value}. It takes effect now.")


def show_asked(screen: Screen, asked: PendingApproval, *more: str) -> None:
    """Report that a second person is awaited, and what is to be done then."""
    request = asked.approval_id[:SHORT]
    screen.result(
        asked.model_dump(mode="json"),
        f"The {_what(asked)} waits for a second person, as request {request}.",
        f"Another person now reads it with `aquila approval approve {request}`, and approves it.",
        *more,
    )


def _asks_for_persons(content: Mapping[str, Any]) -> bool:
    return "import" in content and content.get("submission_kind") != Kind.LIST.value


def _what(request: ApprovalEntry | PendingApproval) -> str:
    return request.kind.value.replace("_", " ") + (f" in round {request.round_id[:SHORT]}" if request.round_id else "")


def _read_digest(screen: Screen, reached: ConnectedService, approval_id: str, digest: str | None) -> str:
    """Return the digest that the person has read: the given one, or that of the content now shown and confirmed.

    Raises:
        InputError: The digest is another one or too short, or the person says no.
    """
    view = reached.approvals.show(approval_id)
    if digest is not None:
        if len(digest) < _LEAST_DIGEST or not view.entry.digest.startswith(digest.lower()):
            raise InputError("approval_digest_differs")
        return view.entry.digest
    if not sys.stdin.isatty():
        raise InputError("read_digest_missing")
    if view.entry.kind is ApprovalKind.CONSENT and view.entry.round_id is not None:
        warn_of_declared(reached, screen, view.entry.round_id)
    screen.show(
        json.dumps(view.content, indent=2, ensure_ascii=False),
        *asked_changes(view.content),
        *(asked_views(reached.approvals.persons(approval_id)) if _asks_for_persons(view.content) else ()),
        f"Digest of exactly this: {view.entry.digest}",
    )
    if not typer.confirm("Approve exactly this?", err=True):
        raise InputError("nothing_approved")
    return view.entry.digest
