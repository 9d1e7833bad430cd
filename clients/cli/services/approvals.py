"""`aquila approval`: what one person asked for, and what another decides about exactly that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from clients.cli.options import Ca, HomePath, Json, Url
from clients.cli.output.screen import Screen, Table

if TYPE_CHECKING:
    from aquila.interface.approval import ApprovalEntry, PendingApproval
    from clients.cli.connect import ConnectedService

app = typer.Typer(help="Four eyes: see what waits for a second person, approve it, refuse it.")
SHORT = 8

ApprovalId = Annotated[
    str,
    typer.Argument(metavar="REQUEST", help="The request's id, its beginning, or `latest` for the first that waits."),
]
Digest = Annotated[
    str | None,
    typer.Option(metavar="DIGEST", help="The digest that `show` gave, or its first 16 digits; scripts need it."),
]
_LEAST_DIGEST = 16


@app.command("list")
def list_approvals(home: HomePath, url: Url = None, ca: Ca = None, as_json: Json = False) -> None:
    """List the requests, those that wait for a second person first."""
    from clients.cli.connect import connect

    with connect(home, url, None, ca) as reached:
        found = reached.approvals.approvals()
    rows = [
        (
            entry.approval_id[:SHORT], entry.kind.value, (entry.round_id or "")[:SHORT], entry.state.value,
            "you" if entry.own else entry.author, entry.decided_by or "", entry.reason or "",
        )
        for entry in found.approvals
    ]  # fmt: skip
    columns = ("request", "for a", "round", "state", "asked by", "decided by", "reason")
    views = [Table("", columns, rows)] if rows else ["Nothing was asked for yet."]
    Screen(as_json).result(found.model_dump(mode="json"), *views)


@app.command()
def show(approval_id: ApprovalId, home: HomePath, url: Url = None, ca: Ca = None, as_json: Json = False) -> None:
    """Show a request with everything that will take effect, and its digest."""
    import json

    from clients.cli.connect import connect

    with connect(home, url, None, ca) as reached:
        view = reached.approvals.show(_chosen(reached, approval_id))
        earlier = _earlier(reached, view.entry)
    entry = view.entry
    Screen(as_json).result(
        view.model_dump(mode="json"),
        f"{_what(entry).capitalize()}, {entry.state.value}, asked by {'you' if entry.own else entry.author}.",
        json.dumps(view.content, indent=2, ensure_ascii=False),
        *earlier,
        f"Digest of exactly this: {entry.digest}",
    )


@app.command()
def approve(
    approval_id: ApprovalId, home: HomePath, digest: Digest = None, url: Url = None, ca: Ca = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Approve exactly the content of a digest: it takes effect at once.

    Without --digest it shows the content and asks; nothing is approved that was not shown.
    """
    from clients.cli.connect import connect

    screen = Screen(as_json)
    with connect(home, url, None, ca) as reached:
        chosen = _chosen(reached, approval_id)
        entry = reached.approvals.approve(chosen, _read_digest(screen, reached, chosen, digest))
    _show_decision(screen, entry, "It takes effect now.")


@app.command()
def refuse(
    approval_id: ApprovalId,
    home: HomePath,
    reason: Annotated[str, typer.Option(help="Why; the author reads it.")],
    url: Url = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Refuse another person's request, with a reason."""
    from clients.cli.connect import connect

    with connect(home, url, None, ca) as reached:
        entry = reached.approvals.refuse(_chosen(reached, approval_id), reason)
    _show_decision(Screen(as_json), entry, "Nothing takes effect.")


@app.command()
def withdraw(approval_id: ApprovalId, home: HomePath, url: Url = None, ca: Ca = None, as_json: Json = False) -> None:
    """Take back what you asked for."""
    from clients.cli.connect import connect

    with connect(home, url, None, ca) as reached:
        entry = reached.approvals.withdraw(_chosen(reached, approval_id))
    _show_decision(Screen(as_json), entry, "Nothing takes effect.")


def show_asked(screen: Screen, asked: PendingApproval) -> None:
    """Report that a second person is awaited."""
    request = asked.approval_id[:SHORT]
    screen.result(
        asked.model_dump(mode="json"),
        f"The {_what(asked)} waits for a second person, as request {request}.",
        f"Another person now reads it with `aquila approval show {request}` and approves it with "
        f"`aquila approval approve {request}`.",
    )


def _earlier(reached: ConnectedService, entry: ApprovalEntry) -> list[Table | str]:
    """Return the evaluations of earlier rounds, for a decision on a consent or on sending a list or a query."""
    from aquila.interface.approval import ApprovalKind, ApprovalState
    from clients.cli.services.safeguards import earlier

    asked = entry.kind in {ApprovalKind.CONSENT, ApprovalKind.SUBMISSION} and entry.state is ApprovalState.WAITING
    return earlier(reached.node().safeguards(entry.round_id)) if asked and entry.round_id else []


def _what(request: ApprovalEntry | PendingApproval) -> str:
    """Return the kind of a request, and its round if it has one."""
    return request.kind.value.replace("_", " ") + (f" in round {request.round_id[:SHORT]}" if request.round_id else "")


def _show_decision(screen: Screen, entry: ApprovalEntry, outcome: str) -> None:
    sentence = f"The {_what(entry)} is {entry.state.value}. {outcome}"
    screen.result(entry.model_dump(mode="json"), sentence)


def _chosen(reached: ConnectedService, text: str) -> str:
    from clients.cli.connect import resolve_id

    return resolve_id("request", text, [entry.approval_id for entry in reached.approvals.approvals().approvals])


def _read_digest(screen: Screen, reached: ConnectedService, approval_id: str, digest: str | None) -> str:
    """Return the digest that the person has read: the given one, or that of the content now shown and confirmed.

    Raises:
        InputError: The digest is another one or too short, or the person says no.
    """
    import json
    import sys

    from aquila.errors import InputError

    view = reached.approvals.show(approval_id)
    if digest is not None:
        if len(digest) < _LEAST_DIGEST or not view.entry.digest.startswith(digest.lower()):
            raise InputError("approval_digest_differs")
        return view.entry.digest
    if not sys.stdin.isatty():
        raise InputError("read_digest_missing")
    screen.show(json.dumps(view.content, indent=2, ensure_ascii=False), f"Digest of exactly this: {view.entry.digest}")
    if not typer.confirm("Approve exactly this?", err=True):
        raise InputError("nothing_approved")
    return view.entry.digest
