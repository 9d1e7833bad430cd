"""Pages that need no session: the static files, and the choice of the language."""

from __future__ import annotations

import contextlib
from pathlib import PurePosixPath

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from aquila.errors import AquilaError
from clients.web.app.paths import local_path
from clients.web.app.visit import OpenForm, Visited, keep_language, threaded_for_strangers
from clients.web.i18n.languages import TAGS

router = APIRouter()
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@router.get("/static/{version}/{name}")
async def get_static(visit: Visited, version: str, name: str) -> Response:
    """Return a file that is the same for everyone; its address changes with each release, so that it may be cached."""
    content = visit.site.static.get(name)
    if content is None:
        raise HTTPException(404)
    headers = {"cache-control": "public, max-age=31536000, immutable"} if version else {}
    return Response(content, media_type=_TYPES[PurePosixPath(name).suffix], headers=headers)


@router.post("/language")
@threaded_for_strangers
def post_language(visit: Visited, sent: OpenForm) -> Response:
    """Keep the language that was chosen, in the browser and with the account, and go back to the page."""
    response, tag = visit.go(local_path(sent.text("back"))), sent.text("tag")
    if tag in TAGS:
        keep_language(visit.site, response, tag)
        if visit.session:
            with contextlib.suppress(AquilaError):  # a session that is over, or a service that starts: the page is read
                visit.people().choose_language(tag)
    return response
