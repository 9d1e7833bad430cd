"""Sizes of shadow columns (PROTOCOL.md 3.7.12)."""

from aquila.protocol.messages.base import MAX_CHUNK_ELEMENTS

TAG_BYTES = 16
DUMMIES = 4_096
"""Tags of no record in both columns of a pair: whoever takes one tag away unseen guesses one of so many and one."""

MOST_TAGS_OF_A_RECORD = 128
"""Tags of a column for each of its records, on average at most: a column with more leaves out whole sets."""

PIECE_TAGS = MAX_CHUNK_ELEMENTS
