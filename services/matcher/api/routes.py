"""The matcher's calls: those of parties, signed, and those of the operator, with the token (PROTOCOL.md section 9)."""

import base64
from collections.abc import AsyncIterator, Sequence
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import StringConstraints

from aquila.audit.roles import Action
from aquila.errors import AquilaError
from aquila.interface.approval import PendingApproval
from aquila.interface.attention import AttentionList
from aquila.interface.rounds import (
    AbortReason,
    MatcherRoundView,
    ProposalDefaults,
    RemindedParties,
    RoundPage,
    RoundProposal,
    RoundsOverview,
)
from aquila.interface.service.party import Parties
from aquila.protocol.encoding import canonical
from aquila.protocol.messages import feed
from aquila.protocol.messages.manifest import TemplateId
from aquila.protocol.rounds.round_state import Phase
from services.kit.actor import Actor
from services.kit.approvals.routes import FourEyes
from services.kit.errors import StoreError, problem_of
from services.kit.http.openapi import ENVELOPE, JSON, OCTETS, raw_answer, raw_body, stored
from services.kit.http.routing import Limit, Offset, Ongoing, ServiceRoute, state_part
from services.kit.http.signed_calls import SignedCaller
from services.kit.log_access.routes import parties as log_parties
from services.kit.log_access.routes import people_router
from services.kit.logging import Log
from services.kit.people.permissions import requires
from services.kit.work import threads
from services.matcher.administration.reminders import ask_reminders
from services.matcher.api.dependencies import At
from services.matcher.api.registry import operator as registry_operator
from services.matcher.api.registry import parties as registry_parties
from services.matcher.approvals import ask_abort, ask_proposal
from services.matcher.context import MatcherContext
from services.matcher.events import TOKENS
from services.matcher.rounds.attention import attention_list
from services.matcher.rounds.chunks import ChunkAddress, acknowledge_evaluation, get_chunk, put_chunk, put_chunks
from services.matcher.rounds.contacts import StoredContacts
from services.matcher.rounds.drafts import copy_of, from_template
from services.matcher.rounds.feed import LONGEST_WAIT, events_of, manifest_envelope, round_page, rounds_of
from services.matcher.rounds.long_polls import LONGEST_HOLD, ReadState, answer_long_poll
from services.matcher.rounds.overview import overview
from services.matcher.rounds.proposals import defaults_of, request_close
from services.matcher.rounds.statements import accept_statement
from services.matcher.rounds.views import parties_view, round_view

PROPOSALS = "/v1/operator/rounds"
LARGEST_PROPOSAL = 64 << 10
"""Bytes of a proposal: more than one for as many parties as there can be has."""
_IDENTIFIER = r"^[0-9a-f]{32}$"
_MOST_ROUNDS = 300  # that one call names: more do not fit into the head of a request


KnownContacts = Annotated[StoredContacts, state_part("contacts")]
RoundId = Annotated[str, Path(pattern=_IDENTIFIER)]
SubmissionId = Annotated[str, Path(pattern=_IDENTIFIER)]
Party = Annotated[str, Path(pattern=r"^[A-Z]{2}$")]
Index = Annotated[int, Path(ge=0, le=2**40)]
ReadUpTo = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}:[0-9]{1,16}$")]
"""A round and the newest event of it that the caller has read."""

parties = APIRouter(route_class=ServiceRoute, prefix="/v1/rounds", tags=["parties"])
operator = APIRouter(route_class=ServiceRoute, prefix=PROPOSALS, tags=["operator"])


async def _read_state(
    *,
    state: Annotated[str, Query(pattern=r"^([0-9a-f]{64})?$")] = "",
    read: Annotated[tuple[ReadUpTo, ...], Query(max_length=_MOST_ROUNDS)] = (),
    feeds: bool = False,
    log: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    changes: bool = False,
) -> ReadState:
    parts = (one.partition(":") for one in read)
    return ReadState(state, {round_id: int(event) for round_id, _, event in parts}, feeds, log, changes)


@parties.get(
    "",
    summary="The rounds whose manifest names the caller, at once or as soon as there is news",
    response_model=feed.LongPollAnswer,
)
async def get_rounds(
    context: At,
    contacts: KnownContacts,
    call: SignedCaller,
    known: Annotated[ReadState, Depends(_read_state)],
    wait: Annotated[float | None, Query(ge=0, le=LONGEST_HOLD)] = None,
) -> Response:
    """List the rounds of the caller; with `wait` the call is held until there is news (PROTOCOL.md 9.6)."""
    if wait is None:
        found: feed.Rounds | AsyncIterator[bytes] = await threads.run_call(rounds_of, context, call.party)
    else:
        found = await answer_long_poll(context, contacts, call, known, wait)
    if isinstance(found, feed.Rounds):
        return Response(found.model_dump_json(), media_type=JSON)
    return StreamingResponse(found, media_type=JSON)


@parties.get(
    "/{round_id}/manifest",
    summary="The signed manifest",
    response_class=Response,
    responses=raw_answer("The manifest in its DSSE envelope (PROTOCOL.md 2.1).", JSON, ENVELOPE),
)
def get_manifest(context: At, call: SignedCaller, round_id: RoundId) -> Response:
    return Response(manifest_envelope(context, round_id, call.party), media_type=JSON)


@parties.get("/{round_id}/events", summary="The next events, waited for")
async def get_events(
    context: At,
    call: SignedCaller,
    round_id: RoundId,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 500,
    wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT)] = 0,
) -> feed.Events:
    return await events_of(context, round_id, call, after, limit, wait)


@parties.post(
    "/{round_id}/statements",
    status_code=201,
    summary="A signed statement",
    response_class=Response,
    responses=stored("The statement"),
    openapi_extra=raw_body("A statement in its DSSE envelope (PROTOCOL.md 2.1).", JSON, schema=ENVELOPE),
)
def post_statement(context: At, call: SignedCaller, round_id: RoundId) -> Response:
    return _stored(new=accept_statement(context, round_id, call.party, call.body))


@parties.put(
    "/{round_id}/submissions/{submission_id}/blinded/{index}",
    status_code=201,
    summary="A chunk of blinded elements",
    response_class=Response,
    responses=stored("The chunk"),
    openapi_extra=raw_body("Blinded elements, 32 bytes each, ascending (PROTOCOL.md 3.4.5).", OCTETS),
)
def put_blinded(
    context: At, call: SignedCaller, round_id: RoundId, submission_id: SubmissionId, index: Index
) -> Response:
    place = ChunkAddress(round_id, submission_id, feed.EventKind.BLINDED, call.party, index)
    return _stored(new=put_chunk(context, call.party, place, call.body))


@parties.get(
    "/{round_id}/submissions/{submission_id}/blinded/{index}",
    summary="A chunk of blinded elements, for who evaluates it",
    response_class=Response,
    responses=raw_answer("Blinded elements, 32 bytes each, ascending (PROTOCOL.md 3.4.5).", OCTETS),
)
def get_blinded(
    context: At, call: SignedCaller, round_id: RoundId, submission_id: SubmissionId, index: Index
) -> Response:
    return Response(
        get_chunk(context, call.party, ChunkAddress(round_id, submission_id, feed.EventKind.BLINDED, "", index)),
        media_type=OCTETS,
    )


async def _evaluation(round_id: RoundId, submission_id: SubmissionId, party: Party, index: Index) -> ChunkAddress:
    return ChunkAddress(round_id, submission_id, feed.EventKind.EVALUATION, party, index)


EvaluationPlace = Annotated[ChunkAddress, Depends(_evaluation)]
_EVALUATION = "/{round_id}/submissions/{submission_id}/evaluations/{party}/{index}"


@parties.put(
    _EVALUATION,
    status_code=201,
    summary="An evaluated chunk",
    response_class=Response,
    responses=stored("The chunk"),
    openapi_extra=raw_body("Evaluated elements, 32 bytes each, in the order of the blinded ones.", OCTETS),
)
def put_evaluation(context: At, call: SignedCaller, place: EvaluationPlace) -> Response:
    return _stored(new=put_chunk(context, call.party, place, call.body))


@parties.get(
    _EVALUATION,
    summary="An evaluated chunk, for its origin",
    response_class=Response,
    responses=raw_answer("Evaluated elements, 32 bytes each, in the order of the blinded ones.", OCTETS),
)
def get_evaluation(context: At, call: SignedCaller, place: EvaluationPlace) -> Response:
    return Response(get_chunk(context, call.party, place), media_type=OCTETS)


@parties.delete(_EVALUATION, status_code=204, summary="The origin has it: its bytes are deleted")
def delete_evaluation(context: At, call: SignedCaller, place: EvaluationPlace) -> None:
    acknowledge_evaluation(context, call.party, place)


@parties.put(
    "/{round_id}/submissions/{submission_id}/tokens/{counterpart}/{index}",
    status_code=201,
    summary="A chunk of token rows, or a piece of tags, of the column for a counterpart",
    response_class=Response,
    responses=stored("The chunk"),
    openapi_extra=raw_body("Token rows, 33 bytes each, ascending by token (PROTOCOL.md 3.6.2).", OCTETS),
)
def put_tokens(
    context: At, call: SignedCaller, round_id: RoundId, submission_id: SubmissionId, counterpart: Party, index: Index
) -> Response:
    place = ChunkAddress(round_id, submission_id, TOKENS, counterpart, index)
    return _stored(new=put_chunk(context, call.party, place, call.body))


@operator.post("", status_code=202, summary="Ask for a new round")
def post_round(
    context: At, approvals: FourEyes, actor: Annotated[Actor, requires(Action.PROPOSE_ROUND)], proposal: RoundProposal
) -> PendingApproval:
    """Store a proposal of a round, for a second person to approve."""
    return ask_proposal(context, approvals, actor, proposal)


@operator.get("", summary="All rounds", dependencies=[requires(Action.SEE_ROUNDS)])
def get_all_rounds(context: At, *, offset: Offset = 0, limit: Limit = None, ongoing: Ongoing = False) -> RoundPage:
    return round_page(context, offset, limit, ongoing=ongoing)


@operator.get("/{round_id}", summary="A round", dependencies=[requires(Action.SEE_ROUNDS)])
def get_round(context: At, round_id: RoundId) -> MatcherRoundView:
    return round_view(context, round_id)


@operator.post("/{round_id}/close", status_code=202, summary="Close a round as soon as every party has its hits")
def post_close(context: At, actor: Annotated[Actor, requires(Action.CLOSE_ROUND)], round_id: RoundId) -> None:
    request_close(context, actor, round_id)


@operator.post("/{round_id}/remind", status_code=202, summary="Remind the parties for which a round waits")
def post_remind(
    context: At, actor: Annotated[Actor, requires(Action.PROPOSE_ROUND)], round_id: RoundId
) -> RemindedParties:
    return ask_reminders(context, actor, round_id)


@operator.post("/{round_id}/abort", status_code=202, summary="Ask for the end of a round")
def post_abort(
    approvals: FourEyes, actor: Annotated[Actor, requires(Action.ABORT_ROUND)], round_id: RoundId, reason: AbortReason
) -> PendingApproval:
    """Store a request to abort a round, for a second person to approve."""
    return ask_abort(approvals, actor, round_id, reason.reason)


operator_calls = APIRouter(route_class=ServiceRoute, prefix="/v1/operator", tags=["operator"])


@operator_calls.get(
    "/parties", summary="The parties, their keys and last contacts", dependencies=[requires(Action.SEE_ROUNDS)]
)
def get_parties(context: At, contacts: KnownContacts) -> Parties:
    return parties_view(context, contacts.by_party())


@operator_calls.get(
    "/proposal-defaults",
    summary="What a proposal has that leaves things open",
    dependencies=[requires(Action.PROPOSE_ROUND)],
)
def get_proposal_defaults(
    context: At,
    *,
    like: Annotated[str | None, Query(pattern=_IDENTIFIER)] = None,
    template: Annotated[TemplateId | None, Query()] = None,
) -> ProposalDefaults:
    """Return the defaults of a proposal and what it can choose.

    With `like` it also has a proposal filled in after that round, with `template` one from that template.
    """
    draft = copy_of(context, like) if like else from_template(context, template) if template else None
    return defaults_of(context).model_copy(update={"draft": draft})


@operator_calls.get(
    "/overview",
    summary="Rounds with what is due next, who is awaited, and how far pairs are",
    dependencies=[requires(Action.SEE_ROUNDS)],
)
def get_overview(
    context: At, *, offset: Offset = 0, limit: Limit = None, phase: Phase | None = None, ongoing: Ongoing = False
) -> RoundsOverview:
    return overview(context, offset, limit, phase=phase, ongoing=ongoing)


@operator_calls.get("/needs", summary="What rounds need of the secretariat", dependencies=[requires(Action.SEE_ROUNDS)])
def get_needs(context: At) -> AttentionList:
    """Return contradictions, alarms and delays, the most pressing first."""
    return attention_list(context)


def _stored(*, new: bool) -> Response:
    """Return 201 for what is new, 200 for the same again."""
    return Response(status_code=201 if new else 200)


_LOG = Log("matcher.consignments")


@parties.post(
    "/{round_id}/consignments",
    summary="Signed statements, with the bytes that they name",
    response_model=feed.ConsignmentAnswer,
    openapi_extra=raw_body("The canonical JSON of a Consignment message (PROTOCOL.md 9.8).", JSON),
)
def post_consignment(context: At, call: SignedCaller, round_id: RoundId) -> Response:
    consignment = feed.Consignment.from_payload(call.body)
    with context.wakeup.together():  # who waits looks once for all of it
        answer = take_consignment(context, round_id, call.party, consignment)
    return Response(answer.payload(), media_type=JSON)


def take_consignment(
    context: MatcherContext, round_id: str, caller: str, consignment: feed.Consignment
) -> feed.ConsignmentAnswer:
    """Take parts in their order, up to the first that is refused; what was taken before it stays.

    Raises:
        StoreError: The first part may or may not be stored; the call can be repeated.
    """
    taken = 0
    try:
        for is_bytes, parts in groupby(consignment.parts, lambda part: isinstance(part, feed.BytesPart)):
            if is_bytes:
                chunks = [_chunk(round_id, caller, part) for part in parts if isinstance(part, feed.BytesPart)]
                found = put_chunks(context, caller, chunks)
                taken += len(found.new)
                if found.refusal is not None:
                    raise found.refusal
                continue
            for part in parts:
                if isinstance(part, feed.StatementPart):
                    accept_statement(context, round_id, caller, part.envelope.encode())
                    taken += 1
    except StoreError:
        if not taken:
            raise
        return feed.ConsignmentAnswer(taken=taken)  # sent again by itself, it is told how long to wait
    except AquilaError as error:
        _LOG.info("part_refused", round=round_id, party=caller, error=error)
        return feed.ConsignmentAnswer(taken=taken, problem=canonical(problem_of(error)).decode())
    return feed.ConsignmentAnswer(taken=taken)


def _chunk(round_id: str, caller: str, part: feed.BytesPart) -> tuple[ChunkAddress, bytes]:
    """Return the address and the bytes of a part; those that are not base64 have another size than was signed."""
    party = (part.counterpart or "") if part.part == TOKENS else caller
    try:
        content = base64.b64decode(part.content, validate=True)
    except ValueError:
        content = b""
    return ChunkAddress(round_id, part.submission_id, part.part, party, part.index), content


ROUTERS: Sequence[APIRouter] = (
    parties,
    operator,
    operator_calls,
    registry_parties,
    registry_operator,
    log_parties,
    people_router("/v1/operator/log"),
)
