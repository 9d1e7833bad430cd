"""The calls of a log, the same at node and matcher: for people with the action, and for those who witness it.

A service puts its `LogUseCases` into `app.state.log`.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Query, Response
from fastapi import Path as InPath

from aquila.audit.checkpoint import LARGEST_UPDATE
from aquila.audit.roles import Action
from aquila.interface.log import EntriesPage, EntrySearch, EntryView, LogCheck, LogView, RoundEntries
from aquila.interface.looks import LookReview, LookReviewRequest
from aquila.protocol.messages.feed import ProofRequest
from services.kit.actor import Actor
from services.kit.http.openapi import JSON, TAR, TEXT, raw_answer, raw_body
from services.kit.http.routing import ServiceRoute, file_response, state_part
from services.kit.http.signed_calls import SIGNED, SignedCaller
from services.kit.log_access.use_cases import LogUseCases
from services.kit.people.permissions import requires

_TEXT = f"{TEXT}; charset=utf-8"

RoundId = Annotated[str, InPath(pattern=r"^[0-9a-f]{32}$")]
EntryIndex = Annotated[int, InPath(ge=0, le=2**53)]
AlarmId = Annotated[int, InPath(ge=1, le=2**53)]
Size = Annotated[int, Query(ge=0, le=2**53)]
At = Annotated[LogUseCases, state_part("log")]
Reader = Annotated[Actor, requires(Action.SEE_LOG)]


@cache
def people_router(prefix: str) -> APIRouter:
    router = APIRouter(route_class=ServiceRoute, prefix=prefix, tags=["log"])

    @router.get("", summary="The log at a glance", dependencies=[requires(Action.SEE_STATUS)])
    def get_log(log: At) -> LogView:
        return log.view()

    @router.post("/entries", summary="Entries, newest first, by a filter")
    def search_entries(log: At, actor: Reader, wanted: EntrySearch) -> EntriesPage:
        return log.page(actor, wanted)

    @router.get("/entries/{index}", summary="An entry with its inclusion proof")
    def get_entry(log: At, actor: Reader, index: EntryIndex) -> EntryView:
        return log.entry(actor, index)

    @router.post("/looks", summary="Who looked at how much, and when")
    def review_looks(
        log: At, actor: Annotated[Actor, requires(Action.REVIEW_LOOKS)], wanted: LookReviewRequest
    ) -> LookReview:
        return log.review_looks(actor, wanted)

    @router.post("/check", summary="Check the log as it is stored")
    def check_log(log: At, actor: Reader) -> LogCheck:
        return log.check(actor)

    @router.get("/rounds/{round_id}", summary="The entries of a round")
    def get_entries(log: At, actor: Reader, round_id: RoundId) -> RoundEntries:
        return log.round_entries(actor, round_id)

    @router.get(
        "/export",
        summary="The log's files as a tar archive",
        response_class=Response,
        responses=raw_answer("The archive (PROTOCOL.md 10.4).", TAR),
    )
    def get_export(log: At, actor: Annotated[Actor, requires(Action.EXPORT_LOG)]) -> Response:
        return _archive_of(log, partial(log.export, actor))

    @router.post("/alarms/{alarm_id}/acknowledge", status_code=204, summary="Go on after an alarm was explained")
    def post_acknowledge(log: At, actor: Annotated[Actor, requires(Action.ACKNOWLEDGE_LOG)], alarm_id: AlarmId) -> None:
        log.witness.acknowledge(actor, alarm_id)

    return router


BODY_LIMITS = dict.fromkeys(("/v1/log/proofs", "/v1/log/cosignatures", "/v1/log/checkpoints"), LARGEST_UPDATE)
"""Bytes of the calls of parties about logs: no more than an update has, and than a request for all proofs has."""

parties = APIRouter(route_class=ServiceRoute, prefix="/v1/log", tags=["parties"])


@parties.get(
    "/checkpoint",
    summary="The newest checkpoint, with a proof since an older one",
    response_class=Response,
    responses=raw_answer("An update as in C2SP tlog-witness.", TEXT) | {204: {"description": "The log is empty."}},
    dependencies=[SIGNED],
)
def get_checkpoint(log: At, old: Size = 0) -> Response:
    """Return an update of the log, or 204 while it is empty."""
    update = log.own.update(old)
    return Response(status_code=204) if update is None else Response(update.to_bytes(), media_type=_TEXT)


@parties.post(
    "/proofs",
    summary="The newest checkpoint, with proofs that the caller wants",
    response_class=Response,
    responses=raw_answer("The canonical JSON of a Proofs message (PROTOCOL.md 10.5).", JSON),
    openapi_extra=raw_body("The canonical JSON of a ProofRequest message (PROTOCOL.md 10.5).", JSON),
)
def post_proofs(log: At, call: SignedCaller) -> Response:
    """Return an update of the log with proofs, or 204 while it is empty."""
    proofs = log.own.prove(ProofRequest.from_payload(call.body), call.party)
    return Response(status_code=204) if proofs is None else Response(proofs.payload(), media_type=JSON)


@parties.post(
    "/cosignatures",
    status_code=204,
    summary="A witness cosigned a checkpoint",
    openapi_extra=raw_body("A checkpoint with a cosignature (C2SP tlog-cosignature).", TEXT),
)
def post_cosignature(log: At, call: SignedCaller) -> None:
    log.own.take_cosignature(call.party, call.body)


@parties.get(
    "/witnessed",
    summary="How many entries of the caller's own log were seen",
    response_class=Response,
    responses=raw_answer("A number in digits.", TEXT),
)
def get_witnessed(log: At, call: SignedCaller) -> Response:
    """Return the size of the caller's log that was seen last, from which it proves growth."""
    return Response(str(log.witness.seen_size(call.party)), media_type=_TEXT)


@parties.post(
    "/checkpoints",
    summary="Witness a checkpoint of the caller's own log",
    response_class=Response,
    responses=raw_answer("The checkpoint with the cosignature (C2SP tlog-cosignature).", TEXT),
    openapi_extra=raw_body("An update as in C2SP tlog-witness: old size, proof, checkpoint.", TEXT),
)
def post_checkpoint(log: At, call: SignedCaller) -> Response:
    """Return the checkpoint with the cosignature, once it was found to have grown from the one before."""
    note = log.witness.cosign(call.party, call.body)
    return Response(note.to_bytes(), media_type=_TEXT)


@parties.get(
    "/bundle",
    summary="What the caller's auditors may check of the log",
    response_class=Response,
    responses=raw_answer("The archive (PROTOCOL.md 10.4).", TAR),
)
def get_bundle(log: At, call: SignedCaller) -> Response:
    """Return the log as a tar archive, with the entries of the rounds that name the caller alone."""
    log.copies.take(call.party)
    return _archive_of(log, partial(log.export_for, call.party))


@contextlib.contextmanager
def unnamed_file(folder: Path) -> Iterator[BinaryIO]:
    """Lend a file without a name, of which a crash leaves nothing; it is closed here only if the block raises."""
    with contextlib.ExitStack() as undo:
        yield undo.enter_context(tempfile.TemporaryFile(dir=folder))
        undo.pop_all()


def _archive_of(log: LogUseCases, write: Callable[[BinaryIO], None]) -> Response:
    with unnamed_file(log.own.files.root) as archive:
        write(archive)
    return file_response(archive, TAR)
