"""`aquila hit`: what analysts do with hits, from the first look to the outcome (party)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clients.cli.options import Ca, HomePath, Json, TokenFile, Url
from clients.cli.output.screen import Screen, numbered

if TYPE_CHECKING:
    from collections.abc import Callable

    from aquila.interface.hits import HitFilter
    from clients.sdk import HitsClient

app = typer.Typer(help="Hits: list and show them, decide, follow up, close, withdraw.")

HitId = Annotated[str, typer.Argument(metavar="HIT", help="The hit's id, or at least its first 4 digits.")]
HitIds = Annotated[list[str], typer.Argument(metavar="HIT...", help="The hits' ids, or at least their first 4 digits.")]
Remark = Annotated[str, typer.Option(help="Your own words; they stay at this node.")]


class LevelChoice(StrEnum):
    """A level."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class StageChoice(StrEnum):
    """Status of a hit."""

    NEW = "new"
    KNOWN = "known"
    ACKNOWLEDGED = "acknowledged"
    DECIDED = "decided"
    FOLLOW_UP = "follow-up"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class KindChoice(StrEnum):
    """The kind of submissions that a hit is of."""

    LIST = "list"
    QUERY = "query"


class DecisionChoice(StrEnum):
    """An analyst's decision."""

    SAME = "same"
    OTHER = "not-the-same"
    UNSURE = "cannot-tell"


class ChannelChoice(StrEnum):
    """The existing channel."""

    SIENA = "siena"
    INTERPOL = "interpol"
    BILATERAL = "bilateral"


class OutcomeChoice(StrEnum):
    """The outcome of a hit."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNRESOLVED = "unresolved"


class GroundChoice(StrEnum):
    """The ground of a withdrawal."""

    INCORRECT = "incorrect"
    UNLAWFUL = "unlawful"
    NOT_NEEDED = "not-needed"


@app.command("list")
def list_hits(
    home: HomePath,
    round_id: Annotated[
        str, typer.Option("--round", metavar="ROUND", help="Of one round: id, beginning, latest.")
    ] = "",
    counterpart: Annotated[str, typer.Option(metavar="CODE", help="With one party.")] = "",
    certainty: Annotated[LevelChoice | None, typer.Option(help="Of one level.")] = None,
    stage: Annotated[StageChoice | None, typer.Option(help="Where they stand.")] = None,
    kind: Annotated[KindChoice | None, typer.Option(help="Between lists, or of queries.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose next step is overdue.")] = False,
    older_than: Annotated[int | None, typer.Option(metavar="HOURS", min=0, help="Only those that came before.")] = None,
    offset: Annotated[int, typer.Option(min=0, help="How many to pass over.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many to show.")] = 50,
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """List hits with the party's own records; nothing of the other side is known."""
    from clients.cli.connect import connect
    from clients.cli.output.hit_views import page_views

    with connect(home, url, token_file, ca) as reached:
        wanted = {
            "round_id": reached.round_id(round_id) if round_id else None,
            "counterpart": counterpart or None,
            "certainty": certainty and certainty.value,
            "stage": stage and stage.value.replace("-", "_"),
            "kind": kind and kind.value,
            "older_than_hours": older_than,
        }
        page = reached.hits().page(_filter(**wanted, overdue=overdue, offset=offset, limit=limit))
    views = page_views(page) if page.hits else ["There is no such hit."]
    Screen(as_json).result(page.model_dump(mode="json"), *views)


@app.command()
def show(
    hit: HitId, home: HomePath, url: Url = None, token_file: TokenFile = None, ca: Ca = None, as_json: Json = False
) -> None:
    """Show a hit: why it is one, its status, and the steps taken so far."""
    from clients.cli.connect import connect
    from clients.cli.output.hit_views import hit_tables

    with connect(home, url, token_file, ca) as reached:
        view = reached.hits().show(*_found(reached.hits(), hit))
    Screen(as_json).result(view.model_dump(mode="json"), *hit_tables(view))


@app.command()
def acknowledge(
    hit: HitId, home: HomePath, url: Url = None, token_file: TokenFile = None, ca: Ca = None, as_json: Json = False
) -> None:
    """Take a hit up."""
    _do(home, url, token_file, ca, hit, lambda hits, *place: hits.acknowledge(*place), as_json, "is acknowledged")


@app.command()
def decide(
    hit: HitId,
    decision: Annotated[DecisionChoice, typer.Argument(help="Whether it is the same person.")],
    home: HomePath,
    remark: Remark = "",
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Decide whether it is the same person."""
    from aquila.followup.lifecycle import Decision

    said = Decision(decision.value.replace("-", "_"))
    _do(home, url, token_file, ca, hit, lambda hits, *place: hits.decide(*place, said, remark), as_json, "is decided")


@app.command("decide-many")
def decide_many(
    decision: Annotated[DecisionChoice, typer.Argument(help="Whether they are the same persons.")],
    hits: HitIds,
    reason: Annotated[str, typer.Option(help="One reason for all of them; it stays at this node.")],
    home: HomePath,
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Decide on several hits at once with one reason."""
    from aquila.followup.lifecycle import Decision
    from clients.cli.connect import connect

    said = Decision(decision.value.replace("-", "_"))
    with connect(home, url, token_file, ca) as reached:
        client = reached.hits()
        done = client.decide_chosen([_found(client, hit) for hit in hits], said, reason)
    left_out = f", {done.left_out} left out: closed or withdrawn" if done.left_out else ""
    sentence = f"{numbered(done.hits, 'hit')} decided{left_out}; `aquila hit undo` takes it back."
    Screen(as_json).result(done.model_dump(mode="json"), sentence)


@app.command()
def undo(home: HomePath, url: Url = None, token_file: TokenFile = None, ca: Ca = None, as_json: Json = False) -> None:
    """Undo your last decision, on one hit or several, as long as no other step followed."""
    from aquila.errors import OrderError
    from clients.cli.connect import connect

    with connect(home, url, token_file, ca) as reached:
        last = reached.hits().page(_filter(limit=1)).undo
        if last is None:
            raise OrderError("decision_not_undoable")
        undone = reached.hits().undo(last.number)
    Screen(as_json).result(undone.model_dump(mode="json"), f"The decision on {numbered(undone.hits, 'hit')} is undone.")


@app.command()
def assign(
    hits: HitIds,
    to: Annotated[str, typer.Option(metavar="PERSON", help="The account's name or pseudonym, or `nobody`.")],
    home: HomePath,
    remark: Remark = "",
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Let a colleague look after hits, or nobody."""
    from clients.cli.connect import connect

    with connect(home, url, token_file, ca) as reached:
        client = reached.hits()
        person = None if to == "nobody" else _colleague(client, to)
        keys = [_found(client, hit) for hit in hits]
        client.assign(keys, person, remark)
    document = {"hits": [{"round_id": one, "hit_id": hit} for one, hit in keys], "person": person}
    Screen(as_json).result(document, f"{numbered(len(keys), 'hit')} assigned to {to}.")


@app.command("follow-up")
def follow_up(
    hit: HitId,
    channel: Annotated[ChannelChoice, typer.Argument(help="The existing channel that it takes.")],
    home: HomePath,
    reference: Annotated[str, typer.Option(help="The channel's own number, if it is known already.")] = "",
    urgent: Annotated[bool, typer.Option("--urgent", help="An answer is due in 8 hours, not in 48.")] = False,
    remark: Remark = "",
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Open a follow-up; its clock runs from now."""
    from aquila.followup.lifecycle import Channel, Urgency

    by, urgency = Channel(channel.value), Urgency.URGENT if urgent else Urgency.NORMAL

    def open_(hits: HitsClient, round_id: str, hit_id: str) -> None:
        hits.follow_up(round_id, hit_id, by, urgency, reference=reference, remark=remark)

    _do(home, url, token_file, ca, hit, open_, as_json, "is in follow-up; `aquila hit letter` writes the request")


@app.command()
def reference(
    hit: HitId,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The channel's own number.")],
    home: HomePath,
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Note the number of a follow-up in its channel."""
    _do(home, url, token_file, ca, hit, lambda hits, *place: hits.reference(*place, number), as_json, "has its number")


@app.command()
def reply(
    hit: HitId,
    on: Annotated[datetime, typer.Argument(metavar="DATE", formats=["%Y-%m-%d"], help="As the reply is dated.")],
    home: HomePath,
    number: Annotated[str, typer.Option(help="The number of the reply, if it has one.")] = "",
    remark: Remark = "",
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Record that the counterpart replied to a follow-up; what it wrote stays in the channel."""
    day, said = on.date(), "has its reply recorded"
    _do(
        home,
        url,
        token_file,
        ca,
        hit,
        lambda hits, *place: hits.record_reply(*place, day, number, remark),
        as_json,
        said,
    )


@app.command()
def permit(
    hit: HitId,
    reference: Annotated[str, typer.Option(help="Where the originator's permission is on file.")],
    home: HomePath,
    remark: Remark = "",
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Record the permission to export what the handling code H2 of the own record blocks."""
    said = f"may be exported by {reference}"
    _do(home, url, token_file, ca, hit, lambda hits, *place: hits.permit(*place, reference, remark), as_json, said)


@app.command()
def letter(
    hit: HitId, home: HomePath, url: Url = None, token_file: TokenFile = None, ca: Ca = None, as_json: Json = False
) -> None:
    """Print the request of a follow-up: references only, for the existing channel. That it was exported is logged."""
    from clients.cli.connect import connect

    with connect(home, url, token_file, ca) as reached:
        written = reached.hits().letter(*_found(reached.hits(), hit))
    Screen(as_json).result(written.model_dump(mode="json"), written.text.rstrip())


@app.command()
def close(
    hit: HitId,
    outcome: Annotated[OutcomeChoice, typer.Argument(help="What came of it.")],
    home: HomePath,
    remark: Remark = "",
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Close a hit with what came of it; the matcher learns the number of such hits, and nothing else."""
    from aquila.followup.lifecycle import HitOutcome

    came = HitOutcome(outcome.value)
    _do(home, url, token_file, ca, hit, lambda hits, *place: hits.close(*place, came, remark), as_json, "is closed")


@app.command("close-many")
def close_many(
    outcome: Annotated[OutcomeChoice, typer.Argument(help="What came of them.")],
    hits: HitIds,
    reason: Annotated[str, typer.Option(help="One reason for all of them; it stays at this node.")],
    home: HomePath,
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Close several hits at once with one outcome and reason."""
    from aquila.followup.lifecycle import HitOutcome
    from clients.cli.connect import connect

    with connect(home, url, token_file, ca) as reached:
        client = reached.hits()
        done = client.close_chosen([_found(client, hit) for hit in hits], HitOutcome(outcome.value), reason)
    left_out = f"; {done.left_out} left out: not decided yet, closed or withdrawn" if done.left_out else ""
    Screen(as_json).result(done.model_dump(mode="json"), f"{numbered(done.hits, 'hit')} closed{left_out}.")


@app.command()
def reopen(
    hit: HitId,
    reason: Annotated[str, typer.Argument(help="Why, in your own words; it stays at this node.")],
    home: HomePath,
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Reopen a closed hit: it goes on where it was, without an outcome."""
    _do(home, url, token_file, ca, hit, lambda hits, *place: hits.reopen(*place, reason), as_json, "is reopened")


@app.command()
def withdraw(
    hit: HitId,
    ground: Annotated[GroundChoice, typer.Argument(help="Why; the counterpart is told this word.")],
    home: HomePath,
    reason: Annotated[str, typer.Option(help="In your own words, for this node alone; needed after 48 hours.")] = "",
    url: Url = None,
    token_file: TokenFile = None,
    ca: Ca = None,
    as_json: Json = False,
) -> None:
    """Withdraw a hit on an own record; the counterpart is informed, marks it and acknowledges."""
    from aquila.followup.lifecycle import Ground

    why = Ground(ground.value.replace("-", "_"))
    said = "is withdrawn; `aquila hit show` says when the counterpart has marked it"
    _do(home, url, token_file, ca, hit, lambda hits, *place: hits.withdraw(*place, why, reason), as_json, said)


def _do(
    home: Path, url: str | None, token_file: Path | None, ca: Path | None, hit: str,
    work: Callable[..., None], as_json: bool, sentence: str,
) -> None:  # fmt: skip
    """Do something with a hit, and report it."""
    from clients.cli.connect import connect

    with connect(home, url, token_file, ca) as reached:
        round_id, hit_id = _found(reached.hits(), hit)
        work(reached.hits(), round_id, hit_id)
    Screen(as_json).result({"round_id": round_id, "hit_id": hit_id}, f"Hit {hit_id[:8]} {sentence}.")


def _colleague(hits: HitsClient, text: str) -> str:
    """Return the pseudonymous id of a colleague by it or by the account's name.

    Raises:
        InputError: Nobody of this node who may look after hits is called so.
    """
    from aquila.errors import InputError

    for one in hits.colleagues().colleagues:
        if text in {one.person, one.name}:
            return one.person
    raise InputError("colleague_unknown", text=text)


def _found(hits: HitsClient, text: str) -> tuple[str, str]:
    """Return round and id of the one hit that a text means.

    Raises:
        InputError: It means none, or several.
    """
    from aquila.errors import InputError

    page = hits.page(_filter(hit=text.lower(), limit=2))
    if len(page.hits) == 1:
        return page.hits[0].round_id, page.hits[0].hit_id
    many = "several hits" if page.hits else "no hit"
    raise InputError("hit_id_without_single_match", text=text, how_many=many)


def _filter(**wanted: object) -> HitFilter:
    """Return a filter.

    Raises:
        ValidationError: A value is none that a hit can have.
    """
    from aquila.interface.hits import HitFilter

    return HitFilter.model_validate(wanted)
