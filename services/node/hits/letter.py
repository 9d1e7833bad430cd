"""The request of a follow-up, and its reminders: references only, to be sent by the existing channel (DESIGN 8).

It holds no field of any record. Whoever receives it finds a hit by its id, which is the same on both sides. Hits of one
round with one party that are asked for alike go into one letter, whatever their handling codes: the letter as a whole
has the strictest, and each hit its own where they differ. One that a code blocks is in none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from textwrap import fill

from aquila.followup.lifecycle import HOUR, Channel, Urgency, handling_codes
from aquila.interface.hits import LetterMessage, LetterView
from aquila.interface.sentence import SentenceView
from aquila.sentences import Sentence, quoted, text_of

_CHANNELS: Mapping[Channel, Sentence] = {
    Channel.SIENA: quoted("SIENA"),
    Channel.INTERPOL: quoted("Interpol I-24/7"),
    Channel.BILATERAL: Sentence.of("letter_bilateral"),
}
_ANSWER_BY: Mapping[Urgency, str] = {
    Urgency.URGENT: "letter_answer_by_urgent",
    Urgency.NORMAL: "letter_answer_by_normal",
}
_CERTAINTIES: Mapping[str, str] = {
    "high": "letter_certainty_high",
    "medium": "letter_certainty_medium",
    "low": "letter_certainty_low",
}
_REMINDERS: Mapping[int, str] = {1: "letter_first_reminder_title", 2: "letter_second_reminder_title"}
_LABEL_WIDTH = 26
_LINE_WIDTH = 105
_SHORT = 8


@dataclass(frozen=True, slots=True)
class LetterHit:
    """A hit that a letter asks about."""

    hit_id: str
    """The same on both sides."""
    certainty: str
    own_number: str = ""
    """The sender's own number of the hit, from its note; nothing before the hit is confirmed."""
    other_number: str = ""
    """The receiver's, from its note; the same."""
    handling: str = ""
    """The handling code of the own record, or nothing."""
    other_handling: str = ""
    """That of the receiver's note, or nothing."""
    permission: str = ""
    """The reference of the permission under which a blocking code is exported, or nothing."""


@dataclass(frozen=True, slots=True)
class Letter:
    """Contents of a request letter."""

    sender: str
    receiver: str
    round_id: str
    hits: tuple[LetterHit, ...]
    """In the order of their ids; one or more."""
    channel: Channel
    reference: str
    """The channel's own number, or nothing yet."""
    urgency: Urgency
    opened_at: int
    """When the first of the follow-ups was opened; seconds since 1970."""
    area: str
    legal_basis: str
    purpose: str
    reminders: int = 0
    """Which reminder of the request it is; 0 for the request itself."""
    reminded_at: int | None = None
    """When that reminder was prepared; seconds since 1970."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Registered names of both parties, by code; one that is not known is left out."""
    practice: bool = False
    """Whether all persons are invented, which title, head and body then say."""

    @property
    def title(self) -> Sentence:
        title = Sentence.of("letter_title")
        if self.reminders:
            title = Sentence.of(_REMINDERS.get(self.reminders, "letter_reminder_title"), number=self.reminders)
        return Sentence.of("letter_practice_title", title=title) if self.practice else title

    @property
    def handling(self) -> str:
        """The strictest handling code of the own records, or nothing."""
        return strictest(hit.handling for hit in self.hits)

    @property
    def other_handling(self) -> str:
        """That of the receiver's notes."""
        return strictest(hit.other_handling for hit in self.hits)

    def head(self) -> tuple[tuple[Sentence, Sentence], ...]:
        """Return the head of the letter, as label and text; the sentences can be composed in any language."""
        of, due = Sentence.of, moment(self.opened_at + self.urgency.hours * HOUR)
        rows = (
            *(((of("letter_practice"), of("letter_practice_persons")),) if self.practice else ()),
            (of("letter_from"), self._unit(self.sender)),
            (of("letter_to"), self._unit(self.receiver)),
            (of("letter_by"), _CHANNELS[self.channel]),
            (of("letter_number"), quoted(self.reference) if self.reference else of("letter_number_later")),
            (of("letter_date"), quoted(moment(self.reminded_at or self.opened_at))),
            (of("letter_reminds_of"), quoted(moment(self.opened_at) if self.reminders else "")),
            (of("letter_urgency"), of(_ANSWER_BY[self.urgency], due=due)),
            (of("letter_round"), quoted(self.round_id)),
            *self._hits(),
            (of("letter_area"), quoted(self.area)),
            (of("letter_legal_basis"), quoted(self.legal_basis)),
            (of("letter_purpose"), quoted(self.purpose)),
            (of("letter_handling"), _condition(self.handling) if self.handling else of("letter_handling_none")),
            (of("letter_handling_of", party=self.receiver), _condition(self.other_handling)),
            (of("letter_permission"), quoted(", ".join(_each_once(hit.permission for hit in self.hits)))),
        )
        return tuple((label, text) for label, text in rows if text_of(text))

    def _hits(self) -> Iterator[tuple[Sentence, Sentence]]:
        """Yield the lines about the hits: several of one hit, one of each of several."""
        of = Sentence.of
        if len(self.hits) == 1:
            [hit] = self.hits
            yield of("letter_hit"), quoted(hit.hit_id)
            yield of("letter_reference_of", party=self.sender), quoted(hit.own_number)
            yield of("letter_reference_of", party=self.receiver), quoted(hit.other_number)
            yield of("letter_certainty"), of(_CERTAINTIES[hit.certainty])
            return
        for number, hit in enumerate(self.hits, start=1):
            known = {"hit": hit.hit_id, "own": hit.own_number or "-", "other": hit.other_number or "-"}
            parties = {"sender": self.sender, "receiver": self.receiver}
            words = of("letter_hit_line", **known, **parties, certainty=of(_CERTAINTIES[hit.certainty]))
            for name, text in self._own_terms(hit):
                words = of("letter_hit_term", line=words, term=name, text=text)
            yield of("letter_hit_numbered", number=number), words

    def _own_terms(self, hit: LetterHit) -> Iterator[tuple[Sentence, str]]:
        """Yield the terms of a hit, by name, in which the hits of the letter differ."""
        of, terms = Sentence.of, ("handling", "other_handling", "permission")
        names = of("letter_handling"), of("letter_handling_of", party=self.receiver), of("letter_permission")
        for name, term in zip(names, terms, strict=True):
            if len({getattr(one, term) for one in self.hits}) > 1:
                yield name, getattr(hit, term) or "-"

    def body(self) -> tuple[Sentence, ...]:
        """Return the paragraphs of the letter, each without its last full stop."""
        parties = {"sender": self.sender, "receiver": self.receiver}
        return (
            *((Sentence.of("letter_practice_only"),) if self.practice else ()),
            *((Sentence.of("letter_reminds", **parties),) if self.reminders else ()),
            Sentence.of("letter_what_hits_say" if len(self.hits) > 1 else "letter_what_a_hit_says", **parties),
            Sentence.of("letter_asks_of_several" if len(self.hits) > 1 else "letter_asks", **parties),
            Sentence.of("letter_references_only"),
        )

    def _unit(self, party: str) -> Sentence:
        name = self.names.get(party, "")
        return Sentence.of("letter_unit", who=f"{name} ({party})" if name not in {"", party} else party)

    def text(self) -> str:
        """Return the letter as plain text, in English."""
        head = "\n".join(f"{text_of(label) + ':':<{_LABEL_WIDTH}}{text_of(text)}" for label, text in self.head())
        body = "\n\n".join(fill(f"{text_of(paragraph)}.", _LINE_WIDTH) for paragraph in self.body())
        return f"{text_of(self.title).upper()}\n\n{head}\n\n{body}\n"

    def message(self) -> LetterMessage:
        """Return the request in the fields of a channel such as SIENA."""
        several = len(self.hits) > 1
        references = [] if several else [("hit", self.hits[0].hit_id)]
        references.append(("round", self.round_id))
        for number, hit in enumerate(self.hits, start=1):
            place = f" {number}" if several else ""
            references += [(f"hit{place}", hit.hit_id)] if several else []
            references += [
                (f"reference of {self.sender}{place}", hit.own_number),
                (f"reference of {self.receiver}{place}", hit.other_number),
            ]
            references += [(f"{text_of(name).lower()}{place}", text) for name, text in self._own_terms(hit)]
        permissions = _each_once(hit.permission for hit in self.hits)
        references += [("number in the channel", self.reference), ("permission", ", ".join(permissions))]
        about = f"({len(self.hits)} hits)" if several else self.hits[0].hit_id[:_SHORT]
        return LetterMessage.of_fields(
            self,
            subject=f"{text_of(self.title)} {about}: {self.sender} to {self.receiver}",
            answer_by=self.opened_at + self.urgency.hours * HOUR,
            reminder=self.reminders,
            references=tuple((name, text) for name, text in references if text),
            handling_code=self.handling,
            receiver_handling_code=self.other_handling,
            body=tuple(f"{text_of(paragraph)}." for paragraph in self.body()),
        )

    def view(self) -> LetterView:
        return LetterView(
            text=self.text(),
            title=SentenceView.of(self.title),
            head=tuple((SentenceView.of(label), SentenceView.of(text)) for label, text in self.head()),
            body=tuple(map(SentenceView.of, self.body())),
            message=self.message(),
            practice=self.practice,
        )


def strictest(codes: Iterable[str]) -> str:
    """Return the strictest of some handling codes, or nothing.

    One that is not known comes first, since nobody here knows what it forbids; then those that block a letter, and then
    the higher number.
    """
    known = handling_codes()
    found = {code for code in codes if code}
    return max(
        found, key=lambda code: (code not in known, code in known and known[code].blocks_letter, code), default=""
    )


def _each_once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def conditions_of(codes: Iterable[str | None]) -> tuple[tuple[str, str], ...]:
    """Return handling codes with their conditions, each once."""
    known = handling_codes()
    return tuple((code, known[code].condition) for code in dict.fromkeys(codes) if code is not None and code in known)


def _condition(code: str) -> Sentence:
    """Return a handling code with its condition, which is a text of its table; an unknown code alone."""
    found = handling_codes().get(code)
    return Sentence.of("letter_condition", code=code, condition=found.condition) if found else quoted(code)


def moment(seconds: int) -> str:
    """Return seconds since 1970 as date and time in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
