"""What leaves a service in words: the request after a hit, and notifications about work that waits."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from aquila.interface.attention import (
    DUE_HOURS,
    DeliveryFailure,
    Notification,
    NotificationText,
    PartyReminder,
    WaitingCounts,
)
from aquila.interface.hits import LetterMessage, LetterView
from aquila.sentences import Sentence
from clients.web.i18n.languages import Language, languages, n_, zone
from clients.web.text.labels import AWAITED

OF_PARTY: Mapping[str, str] = {
    "AL": "sq",
    "AT": "de",
    "BA": "bs",
    "BG": "bg",
    "HR": "hr",
    "HU": "hu",
    "MD": "ro",
    "ME": "cnr",
    "MK": "mk",
    "RO": "ro",
    "RS": "sr-Cyrl",
    "SI": "sl",
    "XK": "sq",
}
"""The language in which a party reads a letter."""


class ComposedLetter(NamedTuple):
    """A letter in one language."""

    lang: str
    """The language's tag."""
    title: str
    lines: list[tuple[str, ...]]
    """Its head, as label and text."""
    paragraphs: list[str]
    """Its body."""
    signed_on: str
    """The label of the line for place and date."""
    signed_by: str
    """The label of the line for the signature."""


def versions(letter: LetterView, own: Language) -> list[ComposedLetter]:
    """Return a letter in the sender's language, then in its receiver's; one where both are the same.

    The second is English where no catalogue has the receiver's.

    Args:
        own: The language of the person who sends it.
    """
    known = languages()
    receivers = known[OF_PARTY.get(letter.message.receiver, "en")]
    return [_composed(letter, language) for language in ([own] if own.tag == receivers.tag else [own, receivers])]


def _composed(letter: LetterView, language: Language) -> ComposedLetter:
    return ComposedLetter(
        language.tag,
        language.compose(letter.title.sentence),
        [(language.compose(label.sentence), _said(language, text.sentence)) for label, text in letter.head],
        [f"{language.compose(paragraph.sentence)}." for paragraph in letter.body],
        language.say("Place and date"),
        language.say("Signature"),
    )


def _said(language: Language, sentence: Sentence) -> str:
    """Return a text of the head; the condition of a handling code has a translation of its own."""
    condition = sentence.fields.get("condition")
    if isinstance(condition, str):
        sentence = Sentence(sentence.code, {**sentence.fields, "condition": language.say(condition)})
    return language.compose(sentence)


def as_text(message: LetterMessage) -> str:
    """Return a message as lines to be copied into a channel: subject, references, handling codes, and the request."""
    lines = [f"Subject: {message.subject}", "References:"]
    lines += [f"- {name}: {text}" for name, text in message.references]
    lines += [f"Handling code: {message.handling_code or 'none given'}"]
    if message.receiver_handling_code:
        lines.append(f"Handling code of {message.receiver}: {message.receiver_handling_code}")
    return "\n".join([*lines, f"Legal basis: {message.legal_basis}", f"Purpose: {message.purpose}", "", *message.body])


CHANNELS = {"mail": n_("Mail"), "command": n_("Your organization's own channel")}
FAILURES = {
    DeliveryFailure.UNREACHABLE: n_("The mail server cannot be reached."),
    DeliveryFailure.TLS: n_("The connection to the mail server is not secure, so nothing is sent over it."),
    DeliveryFailure.SIGN_IN: n_("The mail server does not accept the service's user and password."),
    DeliveryFailure.REFUSED: n_("The mail server refuses the address or the message."),
    DeliveryFailure.COMMAND: n_("Your organization's own command failed."),
    DeliveryFailure.SETTINGS: n_("The service's settings for this channel do not work, or no longer name it."),
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


def remind(said: PartyReminder) -> NotificationText:
    """Put a reminder of a party into words, in its language where there is a catalogue of it."""
    known = languages()
    language = known[OF_PARTY.get(said.party, "en")]
    step = language.say(AWAITED[said.step.value])
    lines = [
        language.say(n_("A round of the secretariat waits for %(party)s: %(step)s."), party=said.party, step=step),
        language.say(n_("It is due by %(until)s (%(zone)s)."), until=language.moment(said.until), zone=zone()),
        language.say(n_("Sign in to your own node to see it.")),
        "",
        language.say(n_("The secretariat sends this to the contact of your party in the registry.")),
        "",
    ]
    return NotificationText(subject=language.say(n_("Aquila: a round waits for your party")), text="\n".join(lines))


_LINES = (
    ("urgent_requests", n_("Urgent requests that wait for your decision: %(count)s.")),
    ("alarms", n_("Alarms: %(count)s.")),
    ("outages", n_("Services that were not heard of for five minutes: %(count)s.")),
    ("faults", n_("Faults of the service: %(count)s.")),
    ("urgent_hits", n_("New hits of urgent queries: %(count)s.")),
    ("standing_hits", n_("New hits of standing queries: %(count)s.")),
    ("overdue_hits", n_("Hits whose next step is overdue: %(count)s.")),
    ("due_hits", n_("Hits whose next step is due within %(hours)s hours: %(count)s.")),
    ("new_hits", n_("New hits: %(count)s, of which with high certainty: %(high)s.")),
    ("requests", n_("Requests that wait for your decision: %(count)s.")),
    ("standing_queries", n_("Standing queries that need an officer: %(count)s.")),
    ("deliveries", n_("Delivered list files that wait: %(count)s.")),
    ("rounds", n_("Rounds that need attention: %(count)s.")),
)
"""The lines of a notification in their order, by the count without which a line is left out."""


def _lines(language: Language, counts: WaitingCounts) -> Iterator[str]:
    number = language.number
    more = {"hours": number(DUE_HOURS), "high": number(counts.high_hits)}
    for name, message in _LINES:
        if count := getattr(counts, name):
            yield language.say(message, count=number(count), **more)
