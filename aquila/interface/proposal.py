"""The choices and defaults of a proposal."""

from aquila.matching.certainty import Level
from aquila.protocol.messages.base import ClassCounts, Message, PartyCode, Positive, Text
from aquila.protocol.messages.manifest import Padding, Window


class ProposalDefaults(Message):
    """The values of a proposal that leaves everything open but its parties and its words.

    Attributes:
        parties: Who is registered.
        rules: The names of the match rules that there are; the first is taken.
        caps: Elements of each party by class.
        window: Deadlines, were the round proposed now.
    """

    parties: tuple[PartyCode, ...]
    rules: tuple[Text, ...]
    caps: ClassCounts
    window: Window
    padding: Padding
    minimum_certainty: Level
    frequency_limit: Positive
    retention_days: Positive
