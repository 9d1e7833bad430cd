"""Tags of shadow columns, and what each side checks (PROTOCOL.md 3.7.12, 3.7.13)."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from aquila.protocol.messages import MetTags
from aquila.protocol.shadow.checks import ToldPairs
from tests.support.shadow_pairs import ShadowPair, rows_of, token
from tests.vectors.making import definition
from tests.vectors.making.theme import DIFFERS, Theme, octets

KEY = octets("key of the pair for shadow columns", 64)
SETS = ((1,), (2, 3))
LEFT = [{1: {1}, 2: {5}, 3: {7}}, {1: {2}, 2: {5, 6}, 3: {7, 8}}, {2: {9}}]
RIGHT = [{1: {1}, 2: {5}, 3: {9}}, {1: {3}, 2: {6}, 3: {8}}, {1: {2}}, {2: {9}, 3: {1}}]

ABOUT = """
Tags, dummies and digests of shadow columns, a column of three records, and what a side finds when it checks a
report.
"""
SOURCE = "own: hmac and hashlib, record by record (`tests/support/shadow_pairs.py`)"
OPERATIONS = """
tag: key of the pair, number of the set and the tokens of a combination, in the order of the set's rules, to the tag
dummy: key of the pair and number, and of a query's its asker, to the tag
key_digest: key of the pair to what the statement of tokens names
met_digest: tags that met to what report and check name
column: key of the pair, sets of rules and token rows to the number of tags, the SHA-256 of the column, and its
    first and last tag
check: key of the pair, sets of rules, the token rows of the own list, the reported pairs (own handle, other handle
    and places), hits and others together, and number and digest of the tags that met: whether (a) and (b) of 3.7.13
    hold. The class is the fault
"""


def make() -> Theme:
    theme = Theme("shadow", ABOUT, SOURCE, OPERATIONS)
    tokens = [token(rule, value) for rule, value in ((1, 1), (2, 5), (3, 7))]
    for number, chosen in ((0, tokens[:1]), (1, tokens[1:])):
        given = {"key": KEY, "set": number, "tokens": chosen}
        theme.valid(f"tag_of_set_{number}", "tag", "3.7.12", given, tag(number, chosen))
    given = {"key": KEY, "set": 1, "tokens": tokens[1:]}
    theme.invalid("tag_with_tokens_in_another_order", "tag", "3.7.12", given, DIFFERS, gives=tag(1, tokens[:0:-1]))
    theme.invalid("tag_of_the_set_before", "tag", "3.7.12", given, DIFFERS, gives=tag(0, tokens[1:]))
    for number in (0, 4_095):
        theme.valid(f"dummy_{number}", "dummy", "3.7.12", {"key": KEY, "number": number}, dummy(number))
    for number in (0, 128 * 256 - 1):
        given = {"key": KEY, "asker": "AL", "number": number}
        theme.valid(f"dummy_{number}_of_a_query", "dummy", "3.7.12", given, dummy(number, "AL"))
    theme.valid("key_digest", "key_digest", "3.7.12", {"key": KEY}, definition.digest("aquila/2 shadow key", KEY))
    tags = sorted(dummy(number) for number in range(3))
    met = definition.digest("aquila/2 shadow met", b"".join(tags))
    theme.valid("met_digest", "met_digest", "3.7.13", {"tags": tags}, met)
    shown = {"key": KEY, "sets": SETS, "rows": rows_of(0, LEFT)}
    theme.valid("column", "column", "3.7.12", shown, _column(LEFT))
    _checks(theme)
    return theme


def tag(number: int, tokens: Sequence[bytes]) -> bytes:
    return hmac.digest(KEY, definition.framed("aquila/2 shadow", bytes([number]), *tokens), "sha256")[:16]


def dummy(number: int, asker: str | None = None) -> bytes:
    label = ["aquila/2 shadow dummy"] if asker is None else ["aquila/2 shadow query dummy", asker]
    message = definition.framed(label[0], *(one.encode() for one in label[1:]), number.to_bytes(4, "big"))
    return hmac.digest(KEY, message, "sha256")[:16]


def _column(records: Sequence[dict[int, set[int]]]) -> dict[str, Any]:
    tags = {dummy(number) for number in range(4_096)}
    for record in records:
        for number, rules in enumerate(SETS):
            chosen: list[list[bytes]] = [[]]
            for rule in rules:
                chosen = [[*one, token(rule, value)] for one in chosen for value in record.get(rule, ())]
            tags |= {tag(number, one) for one in chosen}
    ordered = sorted(tags)
    whole = hashlib.sha256(b"".join(ordered)).digest()
    return {"tags": len(ordered), "sha256": whole, "first": ordered[0], "last": ordered[-1]}


def _checks(theme: Theme) -> None:
    pair = ShadowPair.of(LEFT, RIGHT, SETS, KEY)
    assert sorted(pair.meeting) == [(0, 0), (1, 1), (1, 2)]
    right = pair.told(0)

    theme.valid("report", "check", "3.7.13", given_of(pair, right))
    met = right.met
    assert met is not None
    some = replace(right, pairs=right.pairs[:-1])
    theme.invalid("report_without_a_pair_that_met", "check", "3.7.13", given_of(pair, some), "tags")
    fewer = replace(right, met=MetTags(tags=met.tags - 1, digest=met.digest))
    theme.invalid("report_of_another_number_of_tags", "check", "3.7.13", given_of(pair, fewer), "tags")
    other = replace(right, met=MetTags(tags=met.tags, digest="0" * 64))
    theme.invalid("report_of_other_tags", "check", "3.7.13", given_of(pair, other), "tags")
    no_place = [right.pairs[0]._replace(places=right.pairs[0].places[1:]), *right.pairs[1:]]
    theme.invalid(
        "report_with_a_place_too_few", "check", "3.7.13", given_of(pair, replace(right, pairs=no_place)), "tags"
    )
    foreign = [*right.pairs[:-1], right.pairs[-1]._replace(handle=bytes(16))]
    theme.invalid(
        "report_of_a_record_that_is_not_there", "check", "3.7.13", given_of(pair, replace(right, pairs=foreign)), "tags"
    )
    doubled = _doubled()
    theme.valid("report_of_two_records_with_one_value", "check", "3.7.13", given_of(doubled, doubled.told(0)))
    for gone in combinations(doubled.meeting, 1):
        told = replace(doubled.told(0), pairs=doubled.told(0, doubled.kept(gone)).pairs)
        theme.invalid(
            f"report_that_hides_pair_{gone[0][0]}_{gone[0][1]}_behind_another", "check", "3.7.13",
            given_of(doubled, told), "pairs", "its tags met by another pair of records too",
        )  # fmt: skip


def _doubled() -> ShadowPair:
    """Two records of each side that share one value: every tag that met is that of several pairs."""
    return ShadowPair.of([{1: {1}}, {1: {1}}], [{1: {1}}, {1: {1}}], SETS, KEY)


def given_of(pair: ShadowPair, told: ToldPairs) -> dict[str, Any]:
    assert told.met is not None
    pairs = [{"own": one.handle, "other": one.other, "places": one.places} for one in told.pairs]
    met = {"tags": told.met.tags, "digest": told.met.digest}
    return {"key": KEY, "sets": SETS, "rows": rows_of(0, pair.records[0]), "pairs": pairs, "met": met}
