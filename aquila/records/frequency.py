"""Frequency limits: values that more of a party's own records share are not sent.

An equal token inside one list tells the matcher how often a value occurs (PROTOCOL.md 3.4.7). Who counts says how: the
preparation of a submission (`aquila.protocol.submission_plan`), and the look at a list before it is stored
(`aquila.matching.own_list.duplicates`). What they compare a count with is here alone.
"""

from __future__ import annotations

from aquila.records.rules import RuleTable

DEFAULT_LIMIT = 8


def limits_of(table: RuleTable, limit: int = DEFAULT_LIMIT) -> dict[int, int]:
    """Return by rule number in how many records of a list a value may occur to be sent.

    Args:
        table: The match rules; a rule for rare values sets a lower limit itself.
        limit: The round's frequency limit.
    """
    return {rule.number: min(limit, rule.most_records or limit) for rule in table.rules}
