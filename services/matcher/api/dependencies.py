"""The dependencies that routes of the matcher's interface share: context and four eyes of the service."""

from typing import Annotated

from fastapi import Depends, Request

from services.kit.approvals.requests import Approvals
from services.matcher.context import MatcherContext


async def context_of(request: Request) -> MatcherContext:
    context = request.app.state.context
    assert isinstance(context, MatcherContext)
    return context


async def approvals_of(request: Request) -> Approvals:
    found: Approvals = request.app.state.approvals
    return found


At = Annotated[MatcherContext, Depends(context_of)]
"""The matcher that a request came to, as an argument of a route."""

FourEyes = Annotated[Approvals, Depends(approvals_of)]
"""Four eyes at the matcher that a request came to, as an argument of a route."""
