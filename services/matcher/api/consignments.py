"""The call with several statements of a party and the bytes that they name (PROTOCOL.md 9.8)."""

import base64
from typing import Annotated

from fastapi import APIRouter, Path, Response

from aquila.errors import AquilaError, MalformedError
from aquila.protocol.encoding import canonical
from aquila.protocol.messages.feed import BytesPart, Consignment, ConsignmentAnswer, StatementPart
from services.kit.errors import StoreError, problem_of
from services.kit.http.openapi import JSON, raw_body
from services.kit.http.routing import ServiceRoute
from services.kit.http.signed_calls import SignedCaller
from services.kit.logging import Log
from services.matcher.api.dependencies import At
from services.matcher.context import MatcherContext
from services.matcher.rounds.chunks import ChunkAddress, put_chunk
from services.matcher.rounds.statements import accept_statement

_LOG = Log("matcher.consignments")

router = APIRouter(route_class=ServiceRoute, prefix="/v1/rounds", tags=["parties"])


@router.post(
    "/{round_id}/consignments",
    summary="Signed statements, with the bytes that they name",
    response_model=ConsignmentAnswer,
    openapi_extra=raw_body("The canonical JSON of a Consignment message (PROTOCOL.md 9.8).", JSON),
)
def post_consignment(
    context: At, call: SignedCaller, round_id: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
) -> Response:
    answer = take_consignment(context, round_id, call.party, Consignment.from_payload(call.body))
    return Response(answer.payload(), media_type=JSON)


def take_consignment(
    context: MatcherContext, round_id: str, caller: str, consignment: Consignment
) -> ConsignmentAnswer:
    """Take parts one after the other, up to the first that is refused; what was taken before it stays.

    Raises:
        StoreError: The first part may or may not be stored; the call can be repeated.
    """
    for number, part in enumerate(consignment.parts):
        try:
            if isinstance(part, StatementPart):
                accept_statement(context, round_id, caller, part.envelope.encode())
            else:
                address = ChunkAddress(round_id, part.submission_id, part.part, caller, part.index)
                put_chunk(context, caller, address, _content(part))
        except StoreError:
            if not number:
                raise
            return ConsignmentAnswer(taken=number)  # sent again by itself, it is told how long to wait
        except AquilaError as error:
            _LOG.info("part_refused", round=round_id, party=caller, error=error)
            return ConsignmentAnswer(taken=number, problem=canonical(problem_of(error)).decode())
    return ConsignmentAnswer(taken=len(consignment.parts))


def _content(part: BytesPart) -> bytes:
    """Return the bytes of a part; raises MalformedError if they are not base64."""
    try:
        return base64.b64decode(part.content, validate=True)
    except ValueError:
        raise MalformedError("chunk_size_differs", chunk=part.index, expected=0, got=0) from None
