"""Notifications in words: counts and the service's own address, in the person's language, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from aquila.interface.attention import DUE_HOURS, DeliveryFailure, Notification, NotificationText, WaitingCounts
from clients.web.i18n.languages import Language, languages, n_

CHANNELS = {"mail": n_("Mail"), "command": n_("Your organization's own way")}
FAILURES = {
    DeliveryFailure.UNREACHABLE: n_("The mail server cannot be reached."),
    DeliveryFailure.TLS: n_("The connection to the mail server is not secure, so nothing is sent over it."),
    DeliveryFailure.SIGN_IN: n_("The mail server does not accept the service's user and password."),
    DeliveryFailure.REFUSED: n_("The mail server refuses the address or the message."),
    DeliveryFailure.COMMAND: n_("Your organization's own command failed."),
    DeliveryFailure.SETTINGS: n_("The service's settings for this do not work, or no longer name this way."),
}


def compose(said: Notification) -> NotificationText:
    """Put a notification into words."""
    known = languages()
    language = known.get(said.language, known["en"])
    if said.counts is None:
        subject = language.say(n_("Aquila: notifications are on"))
        lines = [language.say(n_("From now on you are told here when work waits for you."))]
    else:
        urgent = n_("Aquila: something urgent waits for you")
        subject = language.say(urgent if said.urgent else n_("Aquila: work waits for you"))
        lines = list(_lines(language, said.counts))
    address = language.say(n_("Sign in to see it: %(address)s"), address=said.address)
    ending = language.say(n_("You chose these notifications. End them on the page of your account."))
    return NotificationText(subject=subject, text="\n".join((*lines, "", address, "", ending, "")))


_LINES = (
    ("alarms", n_("Alarms: %(count)s.")),
    ("faults", n_("Faults of the service: %(count)s.")),
    ("urgent_hits", n_("New hits of urgent queries: %(count)s.")),
    ("standing_hits", n_("New hits of standing queries: %(count)s.")),
    ("overdue_hits", n_("Hits whose next step is overdue: %(count)s.")),
    ("due_hits", n_("Hits whose next step is due within %(hours)s hours: %(count)s.")),
    ("new_hits", n_("New hits: %(count)s, of which with high certainty: %(high)s.")),
    ("requests", n_("Requests that wait for your decision: %(count)s.")),
    ("standing_queries", n_("Standing queries that need an officer: %(count)s.")),
    ("deliveries", n_("Delivered list files that wait: %(count)s.")),
    ("rounds", n_("Needs of rounds: %(count)s.")),
)
"""The lines of a notification in their order, by the count without which a line is left out."""


def _lines(language: Language, counts: WaitingCounts) -> Iterator[str]:
    number = language.number
    more = {"hours": number(DUE_HOURS), "high": number(counts.high_hits)}
    for name, message in _LINES:
        if count := getattr(counts, name):
            yield language.say(message, count=number(count), **more)
