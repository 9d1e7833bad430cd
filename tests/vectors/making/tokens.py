"""From evaluations to the rows of a column (PROTOCOL.md 3.6.0 to 3.6.2)."""

import hmac
from typing import Any

from tests.vectors.making import definition
from tests.vectors.making.submission import (
    BINDING,
    SEED,
    SUBMISSION,
    blind_of,
    blinded,
    handle_of,
    input_digest,
    point_of,
)
from tests.vectors.making.theme import DIFFERS, Theme, group, octets

KEY = octets("key of the pair for tokens", 64)
RULES = {1: "full", 2: "full", 3: "partial"}

ABOUT = "Tokens, token secrets and rows of a column of SI for RS."
SOURCE = """
own: hashlib, hmac and AES of the `cryptography` package; ristretto255 by the product (RFC 9496, RFC 9497)
"""
OPERATIONS = """
token: key of the pair, class, x, the origin and its share, the counterpart, its public key and its evaluated
    element, and the blind, to both values of the input, in the order of the parties, the token and the token secret
rows: key of the pair, class, the origin and its share, the counterpart and its public key, seed and submission id,
    handles (`counterpart`, where each column has its own), and of each element of a class number, rule, x and the
    evaluated element, to the rows of 33 bytes and the token secrets in the same order
count: the rule table's class of each rule, the statement's rows by rule, and the rows of the column chunk by chunk,
    with the class of each chunk: whether their numbers and classes are those that were signed, and their order right
join: the rows of both columns of a pair of lists, and the frequency limit, to the pairs of records that met: left
    handle, right handle, and the rules under which they did
"""


def make() -> Theme:
    theme = Theme("tokens", ABOUT, SOURCE, OPERATIONS)
    own, other = (definition.reduced(octets(f"share of {party}", 64)) for party in ("SI", "RS"))
    inputs = [_input(own, other, place) for place in range(4)]
    terms = {"key": KEY, "class": "full", "origin": "SI", "share": own, "counterpart": "RS"}
    terms["public_key"] = group().multiply_base(other)
    for place, one in enumerate(inputs):
        given = terms | {name: one[name] for name in ("x", "blind", "evaluated")}
        theme.valid(f"token_{place}", "token", "3.6.0", given, _token(given, one))
    _wrong_tokens(theme, terms, inputs[0])
    elements = [{name: one[name] for name in ("number", "rule", "x", "evaluated")} for one in inputs]
    for name, counterpart in (("one_for_all_columns", None), ("of_this_column", "RS")):
        given = terms | {"seed": SEED, "submission_id": SUBMISSION, "elements": elements}
        given |= {} if counterpart is None else {"handles_for": counterpart}
        rows = []
        for one in inputs:
            found = _token(terms, one)
            handle = handle_of(SEED, one["number"] // 256, counterpart)
            rows.append((found["token"], handle + bytes([one["rule"]]) + found["token"], found["secret"]))
        rows.sort()
        gives = {"rows": [row for _, row, _ in rows], "secrets": [secret for _, _, secret in rows]}
        theme.valid(f"rows_with_handles_{name}", "rows", "3.6.2", given, gives)
    _counts(theme)
    _joins(theme)
    return theme


def _input(own: bytes, other: bytes, place: int) -> dict[str, Any]:
    number, rule = 256 * (place // 2) + place % 2, place % 2 + 1
    x = input_digest(BINDING, "full", rule, f"value {place}".encode())
    blind = blind_of(SEED, SUBMISSION, number, x)
    point, times = point_of(x), group().multiply
    return {
        "number": number,
        "rule": rule,
        "x": x,
        "blind": blind,
        "evaluated": times(blinded(x, blind), other),
        "own": times(point, own),
        "theirs": times(point, other),
    }


def _token(terms: dict[str, Any], one: dict[str, Any]) -> dict[str, bytes]:
    """3.6.0; RS comes before SI."""
    message = definition.framed("aquila/2 token", terms["class"].encode(), one["x"], one["theirs"], one["own"])
    made = hmac.digest(terms["key"], message, "sha512")
    return {"V_lo": one["theirs"], "V_hi": one["own"], "token": made[:16], "secret": made[32:]}


def _wrong_tokens(theme: Theme, terms: dict[str, Any], one: dict[str, Any]) -> None:
    given = terms | {name: one[name] for name in ("x", "blind", "evaluated")}
    right = _token(terms, one)
    swapped = {"theirs": one["own"], "own": one["theirs"]}
    wrong = {
        "token_with_lo_and_hi_swapped": _token(terms, one | swapped),
        "token_of_the_sum_of_both_values": _token(
            terms, one | {"theirs": group().weighted_sum(one["own"] + one["theirs"], _ones(2)), "own": b""}
        ),
        "token_of_another_class": _token(terms | {"class": "coarse"}, one),
        "token_under_another_key": _token(terms | {"key": octets("another key", 64)}, one),
        "token_of_one_value_alone": _token(terms, one | {"own": b""}),
    }
    for name, found in wrong.items():
        paragraph = "4.1" if "value" in name else "3.6.0"
        theme.invalid(name, "token", paragraph, given, DIFFERS, gives=right | {"token": found["token"]})
    middle = definition.framed("aquila/2 token", b"full", one["x"], one["theirs"], one["own"])
    from_the_middle = hmac.digest(KEY, middle, "sha512")[16:48]
    theme.invalid(
        "secret_of_bytes_16_to_47", "token", "3.6.0", given, DIFFERS, gives=right | {"secret": from_the_middle}
    )


def _ones(count: int) -> bytes:
    return definition.scalar(1) * count


def _counts(theme: Theme) -> None:
    def row(handle: str, rule: int, token: str) -> bytes:
        return octets(f"handle {handle}", 16) + bytes([rule]) + octets(f"token {token}", 16)

    def chunks(*rows: list[bytes]) -> dict[str, Any]:
        kinds = ("full", "full", "partial")
        return {"chunks": [{"class": kind, "rows": b"".join(of)} for kind, of in zip(kinds, rows, strict=True)]}

    of_class = [row("1", 1, "1"), row("2", 1, "1"), row("1", 2, "2")]
    full, other = sorted(of_class, key=lambda one: (one[17:], one[:16])), row("1", 3, "3")
    twins = full.index(max(full[:2], key=lambda one: one[16] == 1))
    given = {"classes": {str(rule): kind for rule, kind in RULES.items()}, "rules": {"1": 2, "2": 1, "3": 1}} | chunks(
        full[:2], full[2:], [other]
    )
    theme.valid("counts", "count", "3.6.2", given)
    unknown = full[0][:16] + b"\x3f" + full[0][17:]
    swapped = [*full]
    swapped[twins], swapped[twins + 1] = swapped[twins + 1], swapped[twins]
    wrong: dict[str, dict[str, Any]] = {
        "column_with_a_row_too_few": chunks(full[:2], full[2:], []),
        "column_with_a_row_too_many": chunks(full[:2], full[2:], [other, other]),
        "column_with_a_row_of_another_class": chunks(full[:2], [other], full[2:]),
        "column_with_other_rules_than_signed": {"rules": {"1": 1, "2": 2, "3": 1}},
        "column_with_a_row_of_no_rule": chunks([unknown, full[1]], full[2:], [other]),
        "column_cut_within_a_row": chunks(full[:2], full[2:], [other[:-1]]),
        "column_in_order_in_each_chunk_and_not_over_both": chunks(full[1:], full[:1], [other]),
        "column_with_equal_tokens_in_the_order_of_no_handles": chunks(swapped[:2], swapped[2:], [other]),
    }
    for name, changes in wrong.items():
        theme.invalid(name, "count", "3.6.2", given | changes, "malformed")


def _joins(theme: Theme) -> None:
    def row(handle: str, rule: int, token: str) -> bytes:
        return octets(f"handle {handle}", 16) + bytes([rule]) + octets(f"token {token}", 16)

    def pair(left: str, right: str, *rules: int) -> list[Any]:
        return [octets(f"handle {left}", 16), octets(f"handle {right}", 16), list(rules)]

    frequent = [row(f"l{place}", 1, "frequent") for place in range(2, 5)]
    lefts = [row("l1", 1, "a"), row("l1", 2, "b"), row("l2", 2, "c"), *frequent]
    rights = [row("r1", 1, "a"), row("r1", 2, "b"), row("r2", 3, "c"), row("r3", 1, "frequent")]
    given = {"left": b"".join(lefts), "right": b"".join(rights), "frequency_limit": 2}
    right = [pair("l1", "r1", 1, 2)]
    theme.valid("joined", "join", "3.7.1", given, right)
    theme.valid(
        "joined_within_the_limit",
        "join",
        "3.7.1",
        given | {"frequency_limit": 3},
        sorted([*right, *(pair(f"l{place}", "r3", 1) for place in range(2, 5))]),
    )
    other_rule = sorted([*right, pair("l2", "r2", 2)])
    theme.invalid("joined_under_different_rules", "join", "3.7.1", given, DIFFERS, gives=other_rule)
