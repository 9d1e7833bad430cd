"""Forms that only our own pages can send: a token in each form, and the browser's statement of its origin.

The token is an HMAC over a fixed text under what the visitor's cookie holds (the session's token, or before sign-in a
random value of its own), so that it changes with every sign-in and nothing has to be kept. A page of another site can
neither read the cookie nor make the token; and its form is refused by Origin and Sec-Fetch-Site already.
"""

import hmac
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from aquila.errors import InputError, PolicyError
from clients.web.app.uploads import Inbox
from services.kit.http.routing import SMALL_BODY, limited

E = TypeVar("E", bound=StrEnum)

TOKEN_FIELD = "form_token"
NAMES_CHECKED = "names_checked"
"""The box by which an officer confirms that a possible name in a text is not one."""

MAY_NAME = "text_may_name_own_person"
"""The id of the sentence that asks for it."""

_CONTEXT = b"aquila pages: form token"
_TEXT_LIMIT = 20_000
_MOST_FIELDS = 5_000
OPEN_BYTES = SMALL_BODY
"""Bytes of a form that anybody may send."""

FORM_BYTES = 256 << 10
"""Bytes of a form of somebody with a session: a letter that is not Latin has up to nine, and a proposal many pairs."""


@dataclass(slots=True)
class SubmittedForm:
    """The contents of a form of ours."""

    data: FormData
    kept: bool = False
    """Whether a file of it is kept when the call is over; else it is closed."""

    async def aclose(self) -> None:
        if not self.kept:
            await self.data.close()

    def text(self, name: str) -> str:
        """Return a field's text without blanks around it; nothing for a field that is not there.

        Raises:
            InputError: It is longer than any field of ours.
        """
        value = self.data.get(name, "")
        text = value.strip() if isinstance(value, str) else ""
        if len(text) > _TEXT_LIMIT:
            raise InputError("text_too_long", expected=_TEXT_LIMIT)
        return text

    def secret(self, name: str) -> str:
        """Return a field's text as it was typed; a password may begin with a blank."""
        value = self.data.get(name, "")
        return value if isinstance(value, str) else ""

    def choice(self, name: str, kind: type[E]) -> E:
        """Return one of the values of an enumeration; raises InputError if the field holds none of them."""
        try:
            return kind(self.text(name))
        except ValueError:
            raise InputError("field_choice_unknown", name=name) from None

    def number(self, name: str) -> int:
        """Return a whole number; raises InputError if the field holds none."""
        text = self.text(name)
        number = whole_number(text)
        if number is None:
            raise InputError("field_not_whole_number", name=name)
        return number

    def date(self, name: str) -> date:
        """Return a field's day; raises InputError if it names none."""
        try:
            return date.fromisoformat(self.text(name))
        except ValueError:
            raise InputError("form_date_unreadable") from None

    def texts(self, name: str) -> tuple[str, ...]:
        """Return all values of a field that may come several times."""
        return tuple(value for value in self.data.getlist(name) if isinstance(value, str))

    def fields(self) -> tuple[tuple[str, str], ...]:
        """Return the texts of all fields in their order, for a form that sends them on."""
        return tuple((name, value) for name, value in self.data.multi_items() if isinstance(value, str))

    def ticked(self, name: str) -> bool:
        return name in self.data

    def need_tick(self, name: str) -> None:
        """Refuse a form whose box was not ticked; raises InputError if it was not."""
        if not self.ticked(name):
            raise InputError("box_not_ticked", name=name)

    def file(self, name: str) -> UploadFile | None:
        value = self.data.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None


def whole_number(text: str, digits: int = 9) -> int | None:
    """Return the number that a text writes in so many ASCII digits at most, or None."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= digits else None


def token_of(secret: str) -> str:
    return hmac.new(secret.encode(), _CONTEXT, "sha256").hexdigest()


async def read(request: Request, secret: str, most: int) -> SubmittedForm:
    """Read a form and refuse one that no page of ours sent.

    Args:
        secret: What the visitor's cookie holds.
        most: Bytes that it may have.

    Raises:
        PolicyError: It comes from elsewhere, or its token is missing or old.
        HTTPException: It has more bytes, or is none.
    """
    _check_origin(request)
    small = Request(request.scope, limited(request.receive, most))
    return await _ours(SubmittedForm(await small.form(max_files=0, max_fields=_MOST_FIELDS)), secret)


async def read_list(request: Request, secret: str, inbox: Inbox) -> SubmittedForm:
    """Read a form with a file, which is kept in the inbox and nowhere else; raises as `read` does.

    Raises:
        StoreFullError: The inbox's disk is full.
    """
    _check_origin(request)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(HTTPStatus.BAD_REQUEST)
    received = Request(request.scope, inbox.guarded(limited(request.receive, inbox.most)))
    parser = InboxParser(request.headers, received.stream(), max_files=1, max_fields=_MOST_FIELDS)
    parser.inbox = inbox
    try:
        return await _ours(SubmittedForm(await parser.parse()), secret)
    except MultiPartException:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None


class InboxParser(MultiPartParser):
    """Starlette's parser of forms with files, whose files lie in an inbox and not in the system's temporary folder."""

    inbox: Inbox

    def on_headers_finished(self) -> None:
        """Give a file its place."""
        super().on_headers_finished()
        upload = self._current_part.file
        if upload is not None:
            upload.file.close()
            upload.file = self.inbox.new_file()
            self._files_to_close_on_error.append(upload.file)  # type: ignore[arg-type]  # it only closes them


async def _ours(sent: SubmittedForm, secret: str) -> SubmittedForm:
    """Return a form whose token is the visitor's, and close any other."""
    if not secret or not hmac.compare_digest(sent.text(TOKEN_FIELD).encode(), token_of(secret).encode()):
        await sent.aclose()
        raise PolicyError("form_of_another_session")
    return sent


def _check_origin(request: Request) -> None:
    """Refuse a form that the browser attributes to another site; browsers send at least one of the two headers."""
    site, origin = request.headers.get("sec-fetch-site", ""), request.headers.get("origin", "")
    foreign = site not in {"", "same-origin"} or (origin != "" and urlsplit(origin).netloc != request.headers["host"])
    if foreign or not (site or origin):
        raise PolicyError("form_sent_by_another_site")
