"""Notifications in words: counts and the service's own address, in the person's language, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from aquila.interface.attention import DUE_HOURS, DeliveryFailure, Notification, NotificationText, WaitingCounts
from clients.web.i18n.languages import Language, languages


def _n(message: str) -> str:
    """Mark a message for the catalogue; it is translated where it is shown."""
    return message


CHANNELS = {"mail": _n("Mail"), "command": _n("Your organization's own way")}
FAILURES = {
    DeliveryFailure.UNREACHABLE: _n("The mail server cannot be reached."),
    DeliveryFailure.TLS: _n("The connection to the mail server is not secure, so nothing is sent over it."),
    DeliveryFailure.SIGN_IN: _n("The mail server does not accept the service's user and password."),
    DeliveryFailure.REFUSED: _n("The mail server refuses the address or the message."),
    DeliveryFailure.COMMAND: _n("Your organization's own command failed."),
    DeliveryFailure.SETTINGS: _n("The service's settings for this do not work, or no longer name this way."),
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


_LINES = (
    ("alarms", _n("Alarms: %(count)s.")),
    ("faults", _n("Faults of the service: %(count)s.")),
    ("urgent_hits", _n("New hits of urgent queries: %(count)s.")),
    ("standing_hits", _n("New hits of standing queries: %(count)s.")),
    ("overdue_hits", _n("Hits whose next step is overdue: %(count)s.")),
    ("due_hits", _n("Hits whose next step is due within %(hours)s hours: %(count)s.")),
    ("new_hits", _n("New hits: %(count)s, of which with high certainty: %(high)s.")),
    ("requests", _n("Requests that wait for your decision: %(count)s.")),
    ("standing_queries", _n("Standing queries that need an officer: %(count)s.")),
    ("deliveries", _n("Delivered list files that wait: %(count)s.")),
    ("rounds", _n("Needs of rounds: %(count)s.")),
)
"""The lines of a notification in their order, by the count without which a line is left out."""


def _lines(language: Language, counts: WaitingCounts) -> Iterator[str]:
    number = language.number
    more = {"hours": number(DUE_HOURS), "high": number(counts.high_hits)}
    for name, message in _LINES:
        if count := getattr(counts, name):
            yield language.say(message, count=number(count), **more)
