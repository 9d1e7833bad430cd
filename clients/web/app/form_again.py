"""A form that cannot be used comes back on its page: each fault at its field, and everything that was typed.

The page is the one that the browser names as the form's (`Referer`, of this site or none), or the form itself where it
has come back before. Its own handler shows it, with status 422; where it cannot be shown, the caller's error page is.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from aquila.errors import AquilaError
from aquila.sentences import Sentence
from clients.web.app.paths import local_path

_UNPROCESSABLE = 422
_OF_THE_CALL = ("route", "endpoint", "path_params", "router")


class FormAgain(Response):
    """The page of a form with its faults, or another answer where that page cannot be shown."""

    def __init__(self, path: str, query: str, faults: Mapping[str, Sentence], otherwise: Response) -> None:
        super().__init__(status_code=_UNPROCESSABLE)
        self._path, self._query, self._faults, self._otherwise = path, query, faults, otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the page."""
        state = scope.get("state", {})
        inner = {key: value for key, value in scope.items() if key not in _OF_THE_CALL}
        inner |= {
            "method": "GET",
            "path": self._path,
            "raw_path": self._path.encode(),
            "query_string": self._query.encode(),
            "state": {**state, "faults": self._faults},
        }

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:  # noqa: PLR2004 - shown
                message["status"] = _UNPROCESSABLE
            await send(message)

        try:
            await scope["app"].router(inner, _empty, answer)
        except (AquilaError, HTTPException):
            await self._otherwise(scope, receive, send)


def page_of_form(request: Request, faults: Mapping[str, Sentence], otherwise: Response) -> Response:
    """Return the page that a form was sent from with the faults at its fields, or the other answer.

    Args:
        request: The form.
        faults: By the field's name.
        otherwise: Where no page of this site is named, or it cannot be shown.
    """
    named = urlsplit(request.headers.get("referer", ""))
    sent = getattr(request.state, "sent", None)
    if sent is not None and sent.text("page"):
        named = named._replace(path=sent.text("page"), query="")
    path = local_path(named.path)
    if request.method != "POST" or named.netloc != request.headers.get("host") or path != named.path:
        return otherwise
    return FormAgain(path, named.query, faults, otherwise)


async def _empty() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
