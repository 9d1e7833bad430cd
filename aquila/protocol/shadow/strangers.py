"""Counts of the meetings of different records of one list, for a node's own basis (PROTOCOL.md 3.7.13)."""

from collections import Counter

import numpy as np

from aquila.protocol.shadow.token_rows import TokenRows, are_new, each_once

_MOST_AT_ONCE = 1 << 21
_RULES = 256  # a rule is a byte


def count_strangers(rows: TokenRows, frequency_limit: int, *, at_once: int = _MOST_AT_ONCE) -> Counter[int]:
    """Count the pairs of different records that meet under each mask of rules, both ways, as those of two lists.

    Args:
        frequency_limit: A token that more records bear is left out.
        at_once: About how many pairs are in memory together, some 50 bytes each.
    """
    # 1. Only a token that at least two records bear, and not too many, makes strangers meet.
    bearers = np.bincount(each_once(rows.tokens * rows.count + rows.records) // (rows.count or 1))
    rows = rows[((bearers > 1) & (bearers <= frequency_limit))[rows.tokens]]
    # 2. The rows of one token and rule stand together, by their records: each record meets all that follow.
    packed = each_once((rows.tokens * _RULES + rows.rules) * rows.count + rows.records)
    kinds, records = packed // (rows.count or 1), packed % (rows.count or 1)
    bits = np.uint64(1) << (kinds % _RULES - 1).astype(np.uint64)
    following = np.searchsorted(kinds, kinds, side="right") - np.arange(len(kinds)) - 1
    # 3. All that one record meets is counted at once, so that a pair's rules come together.
    order = np.argsort(records, kind="stable")
    before = np.cumsum(following[order]) - following[order]
    parts = before[np.searchsorted(records[order], records[order])] // at_once
    found: Counter[int] = Counter()
    for some in np.split(order, np.flatnonzero(parts[1:] != parts[:-1]) + 1):
        often = following[some]
        left = np.repeat(some, often)
        right = left + 1 + np.arange(len(left)) - np.repeat(np.cumsum(often) - often, often)
        pairs = records[left] * rows.count + records[right]
        by_pair = np.argsort(pairs)
        starts = np.flatnonzero(are_new(pairs[by_pair]))
        met = np.bitwise_or.reduceat(bits[left[by_pair]], starts) if len(starts) else bits[:0]
        masks, counts = np.unique(met, return_counts=True)
        found.update(dict(zip(masks.tolist(), (2 * counts).tolist(), strict=True)))
    return found
