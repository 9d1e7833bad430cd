"""Sealed follow-ups, and the triangle of three parties (PROTOCOL.md 3.11.6, 3.11.7)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from tests.vectors.making import definition
from tests.vectors.making.theme import DIFFERS, Theme, octets

KEY, BINDING, NONCE = octets("key of the pair for follow-ups", 64), octets("binding"), octets("nonce", 12)
STATES = ("open", "asked", "confirmed", "refuted", "unresolved", "withdrawn")
HITS = (octets("first hit", 16).hex(), octets("second hit", 16).hex())
ENTRIES: list[dict[str, Any]] = [
    {"hit_id": HITS[0], "state": "asked", "third": {"AL": {"rules": [1, 14], "reference": "RS-7K2M-9QXD-4HTV"}}},
    {"hit_id": HITS[1], "state": "open", "third": {}},
]

ABOUT = """
A part of a follow-up from RS to SI, sealed, and what its receiver makes of it; the rules that are told of a third
party; and whether they fit the own report.
"""
SOURCE = "own: masks rule by rule; AES-256-GCM-SIV of the `cryptography` package"
OPERATIONS = """
seal: key of the pair, binding, sender, receiver, number of the part, how many hits of the report it has, third
    parties in their order, entries and nonce to what is sealed
open: key of the pair, binding, sender, receiver, number of the part, third parties and what is sealed to the entries
told: of each token of the own record its rule, in ascending order of the tokens, and of two hits of it the places of
    the tokens that met, to the rules that are told, wherever they hold a set
triangle: the rules that a counterpart tells of a third party, those under which the hit met here, the sets that
    neither column with the third party leaves out, and of each reported pair of the own record with one of it, hits
    and others, the rules that met: whether nothing contradicts. The class is no refusal: the receiver names three
    parties
"""


def make() -> Theme:
    theme = Theme("follow_up", ABOUT, SOURCE, OPERATIONS)
    _sealed(theme)
    _told(theme)
    _triangles(theme)
    return theme


def mask(rules: Iterable[int]) -> int:
    return sum(1 << rule - 1 for rule in rules)


def plain(entries: Sequence[Mapping[str, Any]], hits: int, third: Sequence[str], first_state: int = 1) -> bytes:
    """The plaintext of a part."""
    rows = []
    for entry in entries:
        row = bytes.fromhex(entry["hit_id"]) + bytes([first_state + STATES.index(entry["state"])])
        for party in third:
            told = entry["third"].get(party)
            letters = told["reference"][3:].replace("-", "").encode() if told else bytes(12)
            row += mask(told["rules"] if told else ()).to_bytes(8, "big") + letters
        rows.append(row)
    return b"".join(rows).ljust(hits * (17 + 20 * len(third)), b"\x00")


def sealed(content: bytes, sender: str = "RS", receiver: str = "SI", part: int = 0, key: bytes = KEY[:32]) -> bytes:
    context = definition.framed(
        "aquila/2 follow-up", BINDING, sender.encode(), receiver.encode(), part.to_bytes(4, "big")
    )
    return NONCE + AESGCMSIV(key).encrypt(NONCE, content, context)


def _sealed(theme: Theme) -> None:
    ways: dict[str, Any] = {"key": KEY, "binding": BINDING, "sender": "RS", "receiver": "SI"}
    shown = ways | {"part": 0, "third": ["AL", "MK"]}
    given = shown | {"hits": 3, "entries": ENTRIES, "nonce": NONCE}
    content = plain(ENTRIES, 3, ["AL", "MK"])
    theme.valid("part_of_three_hits", "seal", "3.11.6", given, sealed(content))
    alone = given | {"part": 1, "hits": 1, "third": [], "entries": ENTRIES[1:]}
    theme.valid("last_part_without_third_parties", "seal", "3.11.6", alone, sealed(plain(ENTRIES[1:], 1, []), part=1))
    theme.valid("part_without_a_hit_that_is_told", "seal", "3.11.6", given | {"entries": []}, sealed(bytes(3 * 57)))
    for name, wrong in {
        "part_without_zeros_for_the_third_hit": sealed(plain(ENTRIES, 2, ["AL", "MK"])),
        "part_with_states_from_0": sealed(plain(ENTRIES, 3, ["AL", "MK"], 0)),
        "part_with_the_last_32_bytes_of_the_key": sealed(content, key=KEY[32:]),
        "part_for_its_sender": sealed(content, "SI", "RS"),
    }.items():
        theme.invalid(name, "seal", "3.11.6", given, DIFFERS, gives=wrong)
    opened = shown | {"sealed": sealed(content)}
    theme.valid("part_opened", "open", "3.11.6", opened, ENTRIES)
    small = [ENTRIES[0] | {"third": {"AL": {"rules": [1], "reference": "RS-7k2m-9qxd-4htv"}}}]
    for name, changed, kind in (
        ("part_of_another_number", {"part": 1}, "seal"),
        ("part_of_another_round", {"binding": octets("another binding")}, "seal"),
        ("part_of_the_other_side", {"sender": "SI", "receiver": "RS"}, "seal"),
        ("part_that_was_changed", {"sealed": sealed(content)[:-1] + bytes([sealed(content)[-1] ^ 1])}, "seal"),
        ("part_with_an_unknown_state", {"sealed": sealed(plain(ENTRIES, 3, ["AL", "MK"], 6))}, "malformed"),
        ("part_cut_within_an_entry", {"sealed": sealed(content[:-57] + bytes([1]) * 20)}, "malformed"),
        ("part_with_a_reference_in_small_letters", {"sealed": sealed(plain(small, 1, ["AL", "MK"]))}, "malformed"),
    ):
        theme.invalid(name, "open", "3.11.6", opened | changed, kind)


def _told(theme: Theme) -> None:
    rules = [1, 1, 5, 6, 9]
    for name, hit, other, gives in (
        ("rules_of_one_token_each", [2, 3, 4], [2, 4], [5, 9]),
        ("rule_of_two_tokens_that_all_met_in_one_hit", [0, 1], [1, 4], [1]),
        ("rule_of_two_tokens_of_which_one_met_in_each", [0, 3], [0, 3], [6]),
        ("nothing_in_common", [2], [3], []),
    ):
        theme.valid(name, "told", "3.11.6", {"rules": rules, "hit": hit, "other": other}, gives)
    unsure = {"rules": rules, "hit": [0, 3], "other": [1, 3]}
    theme.invalid("rule_under_which_two_tokens_met", "told", "3.11.6", unsure, DIFFERS, gives=[1, 6])


def _triangles(theme: Theme) -> None:
    right: dict[str, Any] = {"told": [1, 9], "own": [1, 5, 9], "sets": [[1], [5, 9]], "met": [[5], [1, 6, 9]]}
    theme.valid("triangle", "triangle", "3.11.7", right)
    none = right | {"told": [9], "met": []}
    theme.valid("triangle_of_rules_that_hold_no_set", "triangle", "3.11.7", none)
    theme.valid("triangle_whose_set_a_column_leaves_out", "triangle", "3.11.7", right | {"sets": [[5, 9]], "met": []})
    for name, changed in {
        "triangle_with_a_rule_that_did_not_meet_here": {"own": [5, 9]},
        "triangle_without_a_pair": {"met": []},
        "triangle_with_a_pair_under_some_of_the_rules": {"met": [[1], [5, 9]]},
    }.items():
        theme.invalid(name, "triangle", "3.11.7", right | changed, "contradicted")
