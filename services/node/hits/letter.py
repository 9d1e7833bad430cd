"""The request of a follow-up: references only, to be sent by the existing channel (DESIGN 8).

It holds no field of any record. Whoever receives it finds the hit by its id, which is the same on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aquila.followup.handling import handling_codes
from aquila.followup.lifecycle import HOUR, Channel, Urgency

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_CHANNELS: Mapping[Channel, str] = {
    Channel.SIENA: "SIENA",
    Channel.INTERPOL: "Interpol I-24/7",
    Channel.BILATERAL: "bilateral channel",
}
_LABEL_WIDTH = 26


@dataclass(frozen=True, slots=True)
class Letter:
    """Contents of a request letter.

    Attributes:
        sender: The asking party's code.
        receiver: The other party's code.
        round_id: The round of the hit.
        hit_id: The hit, the same on both sides.
        certainty: The published level.
        channel: How it is sent.
        reference: The channel's own number, or nothing yet.
        urgency: How soon an answer is asked for.
        opened_at: When the follow-up was opened; seconds since 1970.
        area: The round's area.
        legal_basis: The round's legal basis.
        purpose: The round's purpose.
        handling: The handling code of the own record, or nothing.
        other_handling: That of the receiver's note, or nothing.
        names: Registered names of both parties, by code; one that is not known is left out.
        permission: The reference of the permission under which a blocking code is exported, or nothing.
        own_number: The sender's own number of the hit, from its note; nothing before the hit is confirmed.
        other_number: The receiver's, from its note; the same.
    """

    sender: str
    receiver: str
    round_id: str
    hit_id: str
    certainty: str
    channel: Channel
    reference: str
    urgency: Urgency
    opened_at: int
    area: str
    legal_basis: str
    purpose: str
    handling: str = ""
    permission: str = ""
    own_number: str = ""
    other_number: str = ""
    other_handling: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Return the head of the letter, as label and text."""
        due = self.opened_at + self.urgency.hours * HOUR
        rows = (
            ("From", self._unit(self.sender)),
            ("To", self._unit(self.receiver)),
            ("By", _CHANNELS[self.channel]),
            ("Number in this channel", self.reference or "to be given by the channel"),
            ("Date", moment(self.opened_at)),
            ("Urgency", f"{self.urgency.value}, answer asked for by {moment(due)}"),
            ("Round", self.round_id),
            ("Hit", self.hit_id),
            (f"Reference of {self.sender}", self.own_number),
            (f"Reference of {self.receiver}", self.other_number),
            ("Certainty of the match", self.certainty),
            ("Area", self.area),
            ("Legal basis", self.legal_basis),
            ("Purpose", self.purpose),
            ("Handling code", _condition(self.handling) or "none given"),
            (f"Handling code of {self.receiver}", _condition(self.other_handling)),
            ("Permission", self.permission),
        )
        return tuple((label, text) for label, text in rows if text)

    def _unit(self, party: str) -> str:
        name = self.names.get(party, "")
        who = f"{name} ({party})" if name not in {"", party} else party
        return f"{who}, counter-terrorism unit"

    def text(self) -> str:
        """Return the letter as plain text."""
        head = "\n".join(f"{label + ':':<{_LABEL_WIDTH}}{text}" for label, text in self.lines())
        return f"REQUEST AFTER A HIT\n\n{head}\n\n{_BODY.format(sender=self.sender, receiver=self.receiver)}"


_BODY = """\
In the round named above a record of {sender} and a record of {receiver} hit. A hit says that both records
may be about the same person, with the certainty stated. It is no evidence, and it is not an identification.

{sender} asks {receiver} to look at its record under this hit, and to say by this channel whether it can give
the information that it holds, and under which conditions.

This request holds references only. It holds no data of any person, and none may be added to it outside
this channel.
"""


def conditions_of(codes: Iterable[str | None]) -> tuple[tuple[str, str], ...]:
    """Return handling codes with their conditions, each once."""
    known = handling_codes()
    return tuple((code, known[code].condition) for code in dict.fromkeys(codes) if code is not None and code in known)


def _condition(code: str) -> str:
    found = handling_codes().get(code)
    return f"{code}: {found.condition}" if found else code


def moment(seconds: int) -> str:
    """Return seconds since 1970 as date and time in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
