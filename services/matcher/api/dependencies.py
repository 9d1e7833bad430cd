"""The dependency that routes of the matcher's interface share: the context of the service."""

from typing import Annotated

from services.kit.http.routing import state_part
from services.matcher.context import MatcherContext

At = Annotated[MatcherContext, state_part("context")]
"""The matcher that a request came to, as an argument of a route."""
