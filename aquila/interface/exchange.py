"""Views of the sealed exchange in an operator's interface: whether a hit is confirmed, and the notes' contents.

Nothing here is signed. Of the other side nothing is shown but its note, and that of confirmed hits only.
"""

from typing import Literal

from aquila.interface.sentence import SentenceView
from aquila.protocol.messages.base import Message, PartyCode
from aquila.protocol.messages.notes import HandlingCode, Reference


class NoteView(Message):
    """The counterpart's note.

    Attributes:
        evaluation: Source and information code, such as `X4`; empty where its record has none.
        reference: The counterpart's own number of the hit; a follow-up names it.
        contact: Where it can be asked.
    """

    evaluation: str
    handling_code: HandlingCode | None
    category: str | None
    reference: Reference
    contact: str


class IntelligenceView(Message):
    """The result of both evaluations: the certainty of the intelligence, not of the match.

    Attributes:
        before: The own evaluation; empty where the record has none.
        after: What the counterpart's note makes of it, if both records are one person.
        sentence: Why.
        assumption: What must hold for it, and what no machine can check.
    """

    before: str
    after: str
    sentence: str
    assumption: str


class ExchangeView(Message):
    """The state of the exchange of notes about a hit.

    Attributes:
        state: Unconfirmed until both sides verified the other's note; refuted where one of them found a fault.
        sentence: What the state means, or what is wrong.
        blamed_by: Who found the fault.
        reference: This party's own number of the hit.
        rules: What the rules that met say, in words; of confirmed hits only.
        parts: Of each of these rules, the names of the parts that agree, as the table has them.
        note: The counterpart's; of confirmed hits only.
        intelligence: Of confirmed hits only.
    """

    state: Literal["unconfirmed", "confirmed", "refuted"]
    sentence: SentenceView
    blamed_by: PartyCode | None
    reference: Reference | None
    rules: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...] = ()
    note: NoteView | None
    intelligence: IntelligenceView | None
