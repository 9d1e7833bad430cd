"""Sizes of shadow columns (PROTOCOL.md 3.7.12)."""

from aquila.protocol.messages import Kind, Mode
from aquila.protocol.messages.base import MAX_CHUNK_ELEMENTS

TAG_BYTES = 16
DUMMIES = 4_096
"""Tags of no record in both columns of a pair: whoever takes one tag away unseen guesses one of so many and one."""

MOST_TAGS_OF_A_RECORD = 128
"""Tags of a column for each of its records, on average at most: a column with more leaves out whole sets."""

QUERY_DUMMIES = 128
"""Tags of no record in the column of a query, and in that of each list that it meets."""

PLANNED_QUERIES = 256
"""Queries that a party asks in a round at most: for so many the lists' columns have dummies."""

PIECE_TAGS = MAX_CHUNK_ELEMENTS


def planned_dummies(mode: Mode) -> int:
    """Return how many dummies a list's column has for all queries that its counterpart may ask in a round."""
    return PLANNED_QUERIES * QUERY_DUMMIES if mode is Mode.LISTS_AND_QUERIES else 0


def most_tags(mode: Mode, kind: Kind, records: int) -> int:
    """Return how many tags the column of a submission of so many records has at most."""
    dummies = QUERY_DUMMIES if kind is Kind.QUERY else DUMMIES + planned_dummies(mode)
    return dummies + records * MOST_TAGS_OF_A_RECORD
