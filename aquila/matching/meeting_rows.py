"""The rows of a long list that can matter where it is matched with few tokens, such as those of a query.

Of a list, a match with a query needs the rows whose token the query may have, because these meet or are too frequent,
and all rows of the records that bear one, because their positions among the tokens of their record are reported
(PROTOCOL.md 3.7.1 and 3.7.3). All other rows meet nothing. The first 64 bits of tokens and of handles decide here:
where they agree by chance, a row too many is kept, which changes no result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from aquila.matching.join import parse_rows


def first_bits(chunks: Iterable[bytes]) -> np.ndarray:
    """Return the first 64 bits of all tokens of some chunks of token rows, each once, ascending.

    Raises:
        MalformedError: The bytes are not whole rows.
    """
    return np.unique(np.concatenate([_EMPTY, *(_bits(parse_rows(rows), "high") for rows in chunks)]))


def meeting_handles(chunks: Iterable[bytes], tokens: np.ndarray) -> np.ndarray:
    """Return the first 64 bits of the handles of all records that bear one of some tokens, each once, ascending.

    Args:
        chunks: The token rows of a list.
        tokens: The first 64 bits of the tokens, ascending.

    Raises:
        MalformedError: The bytes are not whole rows.
    """
    met = (parse_rows(rows) for rows in chunks)
    found = (_bits(rows[_are_in(_bits(rows, "high"), tokens)], "handle_high") for rows in met)
    return np.unique(np.concatenate([_EMPTY, *found]))


def rows_of(chunks: Iterable[bytes], handles: np.ndarray) -> Iterator[bytes]:
    """Yield the rows of records, chunk by chunk and in their order.

    Args:
        chunks: The token rows of a list.
        handles: The first 64 bits of the records' handles, ascending.

    Raises:
        MalformedError: The bytes are not whole rows.
    """
    for content in chunks:
        rows = parse_rows(content)
        yield rows[_are_in(_bits(rows, "handle_high"), handles)].tobytes()


_EMPTY = np.empty(0, dtype=np.uint64)


def _bits(rows: np.ndarray, column: str) -> np.ndarray:
    return rows[column].astype(np.uint64)


def _are_in(bits: np.ndarray, sought: np.ndarray) -> np.ndarray:
    """Return which of some numbers are among others, which ascend and are few."""
    if not len(sought):
        return np.zeros(len(bits), dtype=bool)
    places = np.searchsorted(sought, bits)
    same: np.ndarray = sought[np.minimum(places, len(sought) - 1)] == bits
    return same
