"""From an input to its blinded element, handles both ways, padding and dummies (PROTOCOL.md 2.5, 2.6, 3.4)."""

import hashlib
import hmac
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from tests.vectors.making import definition
from tests.vectors.making.theme import DIFFERS, Theme, group, octets

BINDING, SEED, SUBMISSION = octets("binding"), octets("submission seed"), octets("submission id", 16)
BORN = "1980-03-04"
INPUTS = {
    "all_names_and_date": ("full", 1, f"ana\x1fnovak\x1e{BORN}"),
    "names_of_the_region": ("partial", 6, "novak\x1fživa\x1e1980"),
    "names_alone": ("coarse", 12, "ana\x1fnovak"),
    "nothing": ("full", 63, ""),
}


ABOUT = """
From a canonical input `v` to x, P, r and B; elements and scalars; handles of both forms; padding and dummies.
"""
SOURCE = """
own: hashlib, hmac and AES of the `cryptography` package; ristretto255 by the product (RFC 9496, RFC 9497)
"""
OPERATIONS = """
input_digest: binding, class, rule number and value `v` in hexadecimal to x
hash_to_group: x to P = H(x)
blind: seed, submission id, number of the input and x to the blind r and the blinded element B = P + r G
elements: elements one behind the other, as they come from outside: whether they are taken
scalar: a scalar as it comes from outside: whether it is taken
ascending: blinded elements of a chunk: whether their order is right
handles: seed, positions, and a counterpart where each column has its own, to the handles
padding: seed, numbers of inputs and how many rules there are to the input digest of each, and the place of its rule
    among the rule table's, from 0
profiles: seed, positions of dummies and how many real records there are to the records that they copy
padded: inputs and the manifest's sizes, records and its multiple to both padded numbers
"""


def make() -> Theme:
    theme = Theme("submission", ABOUT, SOURCE, OPERATIONS)
    _inputs(theme)
    _elements(theme)
    _derived(theme)
    return theme


def input_digest(binding: bytes, kind: str, rule: int, value: bytes) -> bytes:
    """3.4.4."""
    return hashlib.sha256(definition.framed("aquila/2 input", binding, kind.encode(), bytes([rule])) + value).digest()


def point_of(x: bytes) -> bytes:
    """HashToGroup of RFC 9497."""
    return group().hash_to_group(x, len(x), b"HashToGroup-" + definition.OPRF)


def blind_of(seed: bytes, submission: bytes, number: int, x: bytes) -> bytes:
    """3.4.5."""
    message = definition.framed("aquila/2 blind", submission, number.to_bytes(8, "big"), x)
    return definition.reduced(hmac.digest(seed, message, "sha512"))


def blinded(x: bytes, blind: bytes) -> bytes:
    """3.4.5."""
    return group().weighted_sum(point_of(x) + group().multiply_base(blind), definition.scalar(1) * 2)


def block(seed: bytes, label: bytes, number: int, place: int = 0) -> bytes:
    """3.4.5."""
    key = hmac.digest(seed, label, "sha256")
    counter = number.to_bytes(8, "little") + place.to_bytes(8, "little")
    return Cipher(AES256(key), ECB()).encryptor().update(counter)


def handle_of(seed: bytes, position: int, counterpart: str | None) -> bytes:
    return block(
        seed, definition.framed("aquila/2 handle", *([] if counterpart is None else [counterpart.encode()])), position
    )


def _inputs(theme: Theme) -> None:
    for number, (name, (kind, rule, value)) in enumerate(INPUTS.items()):
        given = {"binding": BINDING, "class": kind, "rule": rule, "value": value.encode()}
        x = input_digest(BINDING, kind, rule, value.encode())
        theme.valid(f"x_of_{name}", "input_digest", "3.4.4", given, x, repr(value)[1:-1])
        theme.valid(f"point_of_{name}", "hash_to_group", "2.6", {"x": x}, point_of(x))
        place = 256 * (number * number) + number
        blind = blind_of(SEED, SUBMISSION, place, x)
        theme.valid(
            f"blinded_{name}",
            "blind",
            "3.4.5",
            {"seed": SEED, "submission_id": SUBMISSION, "number": place, "x": x},
            {"blind": blind, "element": blinded(x, blind)},
        )
    value = f"ana\x1fnovak\x1e{BORN}".encode()
    given = {"binding": BINDING, "class": "full", "rule": 1, "value": value}
    wrong = {
        "input_under_another_binding": input_digest(octets("another binding"), "full", 1, value),
        "input_under_another_class": input_digest(BINDING, "coarse", 1, value),
        "input_under_another_rule": input_digest(BINDING, "full", 2, value),
        "input_value_framed": hashlib.sha256(
            definition.framed("aquila/2 input", BINDING, b"full", b"\x01", value)
        ).digest(),
    }
    for name, gives in wrong.items():
        theme.invalid(name, "input_digest", "3.4.4", given, DIFFERS, gives=gives)
    x = input_digest(BINDING, "full", 1, value)
    given = {"seed": SEED, "submission_id": SUBMISSION, "number": 0, "x": x}
    big_endian = int.from_bytes(
        hmac.digest(
            SEED, definition.framed("aquila/2 blind", SUBMISSION, bytes(8), x), "sha512"
        ),
        "big",
    )  # fmt: skip
    without = definition.reduced(hmac.digest(SEED, definition.framed("aquila/2 blind", SUBMISSION, bytes(8)), "sha512"))
    for name, blind in (("blind_big_endian", definition.scalar(big_endian)), ("blind_without_x", without)):
        gives = {"blind": blind, "element": blinded(x, blind)}
        theme.invalid(name, "blind", "3.4.5", given, DIFFERS, gives=gives)


def _elements(theme: Theme) -> None:
    points = sorted(point_of(octets(f"x {number}")) for number in range(3))
    theme.valid("elements", "elements", "2.5", {"elements": b"".join(points)})
    field = 2**255 - 19
    refused = {
        "element_identity": bytes(32),
        "element_negative": _encoded(1),
        "element_not_reduced": _encoded(field),
        "element_above_the_field": _encoded(field + 2),
        "element_with_bit_255": points[0][:31] + bytes([points[0][31] | 0x80]),
        "element_not_on_the_curve": bytes.fromhex("26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371"),
        "element_of_31_bytes": points[0][:31],
    }
    for name, element in refused.items():
        theme.invalid(name, "elements", "2.5", {"elements": points[0] + element}, "malformed")
    theme.valid("scalar", "scalar", "2.5", {"scalar": definition.scalar(5)})
    theme.valid("scalar_largest", "scalar", "2.5", {"scalar": definition.scalar(definition.ORDER - 1)})
    for name, number in (("zero", 0), ("the_order", definition.ORDER), ("above_the_order", definition.ORDER + 1)):
        theme.invalid(f"scalar_{name}", "scalar", "2.5", {"scalar": _encoded(number)}, "malformed")
    theme.valid("chunk_ascending", "ascending", "3.4.5", {"elements": b"".join(points)})
    orders = {
        "chunk_descending": points[::-1],
        "chunk_with_an_element_twice": [points[0], points[0], points[1]],
        "chunk_in_little_endian_order": sorted(points, key=lambda one: one[::-1]),
    }
    assert orders["chunk_in_little_endian_order"] != points
    for name, elements in orders.items():
        theme.invalid(name, "ascending", "3.4.5", {"elements": b"".join(elements)}, "malformed")
    theme.invalid("chunk_cut_short", "ascending", "3.4.5", {"elements": b"".join(points)[:-1]}, "malformed")


def _encoded(number: int) -> bytes:
    return number.to_bytes(32, "little")


def _derived(theme: Theme) -> None:
    positions = [0, 1, 255, 1_000_000]
    for name, counterpart in (("one_for_all_columns", None), ("of_the_column_for_RS", "RS")):
        given: dict[str, Any] = {"seed": SEED, "positions": positions}
        given |= {} if counterpart is None else {"counterpart": counterpart}
        gives = [handle_of(SEED, one, counterpart) for one in positions]
        theme.valid(f"handles_{name}", "handles", "3.4.5", given, gives)
    other = [handle_of(SEED, one, "AL") for one in positions]
    given = {"seed": SEED, "positions": positions, "counterpart": "RS"}
    theme.invalid("handles_of_the_column_for_AL", "handles", "3.4.5", given, DIFFERS, gives=other)
    numbers, label = [3, 256 * 7 + 5], definition.framed("aquila/2 padding")
    digests = [block(SEED, label, one) + block(SEED, label, one, 1) for one in numbers]
    rules = [number % 256 % 12 for number in numbers]
    given = {"seed": SEED, "numbers": numbers, "rules": 12}
    theme.valid("padding", "padding", "3.4.6", given, {"digests": digests, "rules": rules})
    given = {"seed": SEED, "positions": [5, 6, 7], "records": 5}
    theme.valid("profiles", "profiles", "3.4.6", given, [_draw("profile", one, 5) for one in (5, 6, 7)])
    for inputs, expected in ((1, 4), (4, 4), (5, 8), (8, 8), (9, 16), (17, 24)):
        given = {"inputs": inputs, "sizes": [4, 8], "records": 100 + inputs, "multiple": 100}
        theme.valid(f"padded_{inputs}_inputs", "padded", "3.4.6", given, {"inputs": expected, "records": 200})


def _draw(label: str, number: int, count: int) -> int:
    return int.from_bytes(block(SEED, definition.framed(f"aquila/2 {label}"), number)[:8], "little") % count
