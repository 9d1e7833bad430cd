"""Notifications in words: counts and the node's own address, in the person's language, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila.interface.attention import DUE_HOURS, DeliveryFailure, NotificationText
from clients.web.i18n.languages import languages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila.interface.attention import Notification, WaitingCounts
    from clients.web.i18n.languages import Language


def _n(message: str) -> str:
    """Mark a message for the catalogue; it is translated where it is shown."""
    return message


CHANNELS = {
    "mail": _n("Mail"),
    "command": _n("The party's own way"),
}
FAILURES = {
    DeliveryFailure.UNREACHABLE: _n("The mail server cannot be reached."),
    DeliveryFailure.TLS: _n("The connection to the mail server is not secure, so nothing is sent over it."),
    DeliveryFailure.SIGN_IN: _n("The mail server does not accept the node's user and password."),
    DeliveryFailure.REFUSED: _n("The mail server refuses the address or the message."),
    DeliveryFailure.COMMAND: _n("The party's own command failed."),
    DeliveryFailure.SETTINGS: _n("The node's settings for this do not work, or no longer name this way."),
}


def compose(said: Notification) -> NotificationText:
    """Put a notification into words."""
    known = languages()
    language = known.get(said.language, known["en"])
    if said.counts is None:
        subject = language.say(_n("Aquila: notifications are on"))
        lines = [language.say(_n("From now on you are told here when work waits for you."))]
    else:
        urgent = _n("Aquila: something urgent waits for you")
        subject = language.say(urgent if said.urgent else _n("Aquila: work waits for you"))
        lines = list(_lines(language, said.counts))
    address = language.say(_n("Sign in to see it: %(address)s"), address=said.address)
    ending = language.say(_n("You chose these notifications. End them on the page of your account."))
    return NotificationText(subject=subject, text="\n".join((*lines, "", address, "", ending, "")))


def _lines(language: Language, counts: WaitingCounts) -> Iterator[str]:
    number = language.number
    if counts.alarms:
        yield language.say(_n("Alarms: %(count)s."), count=number(counts.alarms))
    if counts.overdue_hits:
        yield language.say(_n("Hits whose next step is overdue: %(count)s."), count=number(counts.overdue_hits))
    if counts.due_hits:
        message = _n("Hits whose next step is due within %(hours)s hours: %(count)s.")
        yield language.say(message, count=number(counts.due_hits), hours=number(DUE_HOURS))
    if counts.standing_hits:
        yield language.say(_n("New hits of standing queries: %(count)s."), count=number(counts.standing_hits))
    if counts.new_hits:
        message = _n("New hits: %(count)s, of which with high certainty: %(high)s.")
        yield language.say(message, count=number(counts.new_hits), high=number(counts.high_hits))
    if counts.requests:
        yield language.say(_n("Requests that wait for your decision: %(count)s."), count=number(counts.requests))
    if counts.standing_queries:
        message = _n("Standing queries that need an officer: %(count)s.")
        yield language.say(message, count=number(counts.standing_queries))
    if counts.rounds:
        yield language.say(_n("Needs of rounds: %(count)s."), count=number(counts.rounds))
