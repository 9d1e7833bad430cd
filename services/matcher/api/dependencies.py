"""The dependency that all routes of the matcher's interface share: the context of the service a request came to."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from services.matcher.context import MatcherContext


async def context_of(request: Request) -> MatcherContext:
    """Return the context of the matcher whose application takes a request."""
    context = request.app.state.context
    assert isinstance(context, MatcherContext)
    return context


At = Annotated[MatcherContext, Depends(context_of)]
"""The matcher that a request came to, as an argument of a route."""
