"""Errors and confirmations for a visitor, as sentences of the visitor's own language."""

from dataclasses import dataclass
from http import HTTPStatus

from starlette.exceptions import HTTPException

from aquila.errors import AquilaError, InputError, OrderError, PolicyError
from aquila.sentences import Sentence
from clients.web.i18n.languages import n_
from services.kit import errors as kit_errors


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """An error for a visitor."""

    status: int
    """The page's HTTP status."""
    title: str
    """In a few words, in English."""
    meaning: str
    """What it means and what one can do, in English."""
    detail: Sentence | None
    """What the service said, or None where it said nothing more."""


_NOT_FOUND = (n_("There is no such page"), n_("It may have been erased, or the address is not complete."))
_TOO_LARGE = (n_("The file is too large"), n_("Ask the administrator for the limit, or send the list in parts."))
_FAILED = (
    n_("Something failed"),
    n_("No partial change was saved. Try again; if it fails again, inform the administrator."),
)
_MEANINGS: dict[type[AquilaError], tuple[str, str]] = {
    kit_errors.NotAllowedError: (n_("Your role does not allow this"), n_("Somebody with another role has to do it.")),
    kit_errors.NotFoundError: _NOT_FOUND,
    kit_errors.BodyTooLargeError: _TOO_LARGE,
    kit_errors.BusyError: (n_("Too many visitors at once"), n_("Try again in a moment.")),
    kit_errors.PeerUnavailableError: (
        n_("The service cannot be reached"),
        n_("It may be starting. Try again in a moment."),
    ),
    OrderError: (n_("This cannot be done now"), n_("Look at the page again: things may have moved on meanwhile.")),
    PolicyError: (n_("This was refused"), n_("A rule of the round or of this service does not allow it.")),
    InputError: (n_("This cannot be used"), n_("Go back, correct what is named below, and send it again.")),
    AquilaError: _FAILED,
}


_FIELDS = {
    "decision_reason_missing": "remark",
    "no_row_chosen": "every",
    "login_taken": "login",
    "login_reserved_for_home_key": "login",
    "no_file_chosen": "file",
    "role_unknown": "role",
    "file_number_names_person": "file_number",
    "service_role_unknown": "role",
}
_NAMED = frozenset(
    {
        "box_not_ticked",
        "field_choice_unknown",
        "field_not_whole_number",
        "text_may_name_own_person",
        "text_names_asked_person",
    }
)


def field_of(error: AquilaError) -> str:
    sentence = error.sentence
    return str(sentence.fields["name"]) if sentence.code in _NAMED else _FIELDS.get(sentence.code, "")


def form_name(name: str) -> str:
    """Return the name of the form's field from which a field of a request is made."""
    return {"roles": "role"}.get(name, name)


def error_page_of(error: AquilaError | HTTPException) -> ErrorPage:
    """Return the page for an error. A hint is left out: it is about commands."""
    if isinstance(error, HTTPException):
        too_large = error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return ErrorPage(error.status_code, *(_TOO_LARGE if too_large else _NOT_FOUND), None)
    title, meaning = next(_MEANINGS[kind] for kind in type(error).__mro__ if kind in _MEANINGS)
    return ErrorPage(int(str(kit_errors.problem_of(error)["status"])), title, meaning, error.sentence)


DONE = {
    "stored": n_("The list is stored."),
    "acknowledged": n_("The alarm is acknowledged. Work goes on."),
    "asked": n_("Waiting for approval."),
    "standing-withdrawn": n_("The standing query is withdrawn. Nothing is asked again."),
    "approved": n_("It is approved and takes effect."),
    "refused": n_("It is refused."),
    "taken-back": n_("It is taken back."),
    "released": n_("The report is released."),
    "reminded": n_("The parties that are awaited and have a contact in the registry are reminded by mail."),
    "answer-refused": n_("The answer is refused. The asker is told, and the round goes on."),
    "noted": n_("It is noted."),
    "taken-up": n_("The chosen hits are taken up."),
    "closed-many": n_("The hits are closed."),
    "assigned": n_("The hits are assigned."),
    "undone": n_("The decision is undone."),
    "view-kept": n_("The view is kept."),
    "view-removed": n_("The view is removed."),
    "corrected": n_("The correction is stored."),
    "taken_out": n_("The record is taken out of its list."),
    "deleted": n_("The list is deleted."),
    "delivery_removed": n_("The file is removed from the folder."),
    "closing": n_("The round is being closed."),
    "leaving": n_("Your party is leaving the round."),
    "password": n_("Your password is changed. All your other sessions have ended."),
    "backup-begun": n_("The backup is being made. This page says when it is done."),
    "certificate-renewed": n_("The service shows its new certificate."),
    "test-sent": n_("The test was handed over. Others that had failed are tried again now."),
    "told": n_("Your choice is kept. A first notification confirms it within a minute."),
    "told-no-more": n_("You will get no more notifications."),
    "ended": n_("The session has ended."),
    "signed-out": n_("You are signed out."),
    "subject-answered": n_("The answer is recorded."),
    "set-up": n_("This service is set up: an administrator makes further accounts."),
    "roles": n_("The roles are changed."),
    "admitted": n_("The account has been let in."),
    "deactivated": n_("The account can no longer sign in."),
    "activated": n_("The account can sign in again."),
}
