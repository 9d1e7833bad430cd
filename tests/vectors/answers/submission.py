"""Inputs, elements, handles and padding."""

import hashlib
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from aquila.crypto import oprf
from aquila.crypto.group import require_scalars
from aquila.crypto.keys import SecretBytes
from aquila.protocol.messages import Padding
from aquila.protocol.submissions.padding import (
    BatchInputs,
    input_prefixes,
    number_inputs,
    padded_inputs,
    padded_records,
    profile_positions,
)
from aquila.protocol.submissions.submission import blinds_of, check_order, handles_of
from aquila.records.rules import InputClass
from tests.vectors.answers.given import GROUP, Given, Operation, cut, raw


def table_of(*rules: tuple[int, str]) -> Any:
    """Return as much of a rule table as inputs need."""
    return SimpleNamespace(rules=[SimpleNamespace(number=rule, input_class=InputClass(kind)) for rule, kind in rules])


def input_digest(given: Given) -> str:
    table = table_of((given["rule"], given["class"]))
    prefix = input_prefixes(raw(given["binding"]), table)[given["rule"]]
    return hashlib.sha256(prefix + raw(given["value"])).hexdigest()


def seed_of(given: Given) -> SecretBytes:
    return SecretBytes(raw(given["seed"]))


def blind(given: Given) -> Given:
    x = raw(given["x"])
    found = blinds_of(GROUP, seed_of(given), raw(given["submission_id"]), [given["number"]], x)
    return {"blind": found.hex(), "element": oprf.blind(GROUP, x, 32, found).hex()}


def padding(given: Given) -> Given:
    """Pad a record such that each number is that of its last padding input."""
    table, digests, rules = table_of(*((rule, "full") for rule in range(given["rules"]))), [], []
    for number in given["numbers"]:
        position, place = divmod(number, 256)
        sent = BatchInputs(position, np.ones(1, dtype=np.int64), np.zeros(1, dtype=np.uint8), bytes(32))
        terms = Padding(inputs_per_record=(place + 1,), records_multiple=1)
        made = number_inputs(seed_of(given), table, terms, sent, position + 1)
        assert made.numbers[place] == number
        digests.append(cut(made.digests, 32)[place])
        rules.append(int(made.rules[place]))
    return {"digests": digests, "rules": rules}


def profiles(given: Given) -> list[int]:
    positions = np.array(given["positions"], dtype=np.uint64)
    return cast("list[int]", profile_positions(seed_of(given), positions, given["records"]).tolist())


def padded(given: Given) -> Given:
    terms = Padding(inputs_per_record=tuple(given["sizes"]), records_multiple=given["multiple"])
    inputs = int(padded_inputs(np.array([given["inputs"]]), terms)[0])
    return {"inputs": inputs, "records": padded_records(given["records"], terms)}


def scalar(given: Given) -> None:
    require_scalars(raw(given["scalar"]))


OPERATIONS: dict[str, Operation] = {
    "input_digest": input_digest,
    "hash_to_group": lambda given: oprf.hash_inputs(GROUP, raw(given["x"]), 32).hex(),
    "blind": blind,
    "elements": lambda given: GROUP.validate(raw(given["elements"])),
    "scalar": scalar,
    "ascending": lambda given: check_order(raw(given["elements"])),
    "handles": lambda given: cut(handles_of(seed_of(given), given["positions"], given.get("counterpart")), 16),
    "padding": padding,
    "profiles": profiles,
    "padded": padded,
}
