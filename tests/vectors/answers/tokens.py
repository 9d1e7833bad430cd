"""Tokens and the rows of columns."""

from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from aquila.crypto import oprf
from aquila.crypto.keys import SecretBytes
from aquila.crypto.shares import Share
from aquila.matching.join import TokenTable
from aquila.protocol.matcher import TokenCount
from aquila.protocol.messages import ChunkReference, Submission, TokenColumn
from aquila.protocol.submissions.submission import ROW, RowTerms, blinds_of, finalize_chunk, order_rows
from aquila.records.rules import InputClass, RuleTable
from tests.vectors.answers.given import GROUP, Given, Operation, cut, raw


def token(given: Given) -> Given:
    """Finalize a chunk of one element, whose blind follows from a seed: the evaluated element is blinded anew."""
    seed, submission = bytes(32), bytes(16)
    one = {"number": 0, "rule": 1, "x": given["x"], "evaluated": _blinded_anew(given, seed, submission)}
    terms = {"seed": seed.hex(), "submission_id": submission.hex(), "elements": [one]}
    found = rows(given | terms)
    own, theirs = _values(given)
    values = (own, theirs) if given["origin"] < given["counterpart"] else (theirs, own)
    row = raw(found["rows"][0])
    return {"V_lo": values[0], "V_hi": values[1], "token": row[17:].hex(), "secret": found["secrets"][0]}


def _blinded_anew(given: Given, seed: bytes, submission: bytes) -> str:
    blind = blinds_of(GROUP, SecretBytes(seed), submission, [0], raw(given["x"]))
    one = (1).to_bytes(32, "little")
    return GROUP.weighted_sum(raw(_values(given)[1]) + raw(given["public_key"]), one + blind).hex()


def _values(given: Given) -> tuple[str, str]:
    own = oprf.evaluate_inputs(GROUP, raw(given["x"]), 32, Share.from_bytes(GROUP, raw(given["share"])))
    theirs = oprf.unblind(GROUP, raw(given["evaluated"]), raw(given["public_key"]), raw(given["blind"]))
    return own.hex(), theirs.hex()


def rows(given: Given) -> Given:
    chunk, submission = np.zeros(len(given["elements"]), dtype=ROW), raw(given["submission_id"])
    seed, share = SecretBytes(raw(given["seed"])), Share.from_bytes(GROUP, raw(given["share"]))
    for place, one in enumerate(given["elements"]):
        x, number = raw(one["x"]), one["number"]
        element = oprf.blind(GROUP, x, 32, blinds_of(GROUP, seed, submission, [number], x))
        chunk[place] = (element, x, number, one["rule"])
    evaluated = raw("".join(one["evaluated"] for one in given["elements"]))
    terms = RowTerms(
        origin=given["origin"],
        counterpart=given["counterpart"],
        key=SecretBytes(raw(given["key"])),
        public_key=raw(given["public_key"]),
        evaluated=evaluated,
        handles_for=given.get("handles_for"),
    )
    kind = InputClass(given["class"])
    finalized = finalize_chunk(GROUP, chunk, seed, submission, kind, share, [terms])
    reference = ChunkReference(input_class=kind, elements=len(chunk), digest="0" * 64)
    ((_, made),) = order_rows([reference], finalized.__getitem__)
    return {"rows": cut(made.rows, 33), "secrets": cut(made.secrets, 32)}


def count(given: Given) -> None:
    rules = [
        SimpleNamespace(number=int(rule), input_class=InputClass(kind)) for rule, kind in given["classes"].items()
    ]  # fmt: skip
    chunks = [SimpleNamespace(input_class=InputClass(one["class"])) for one in given["chunks"]]
    submission: Any = SimpleNamespace(chunks=chunks, submission_id="0" * 32, party="SI")
    counted = TokenCount(cast("RuleTable", SimpleNamespace(rules=rules)), cast("Submission", submission))
    for one in given["chunks"]:
        counted.add(raw(one["rows"]))
    signed: Any = SimpleNamespace(
        rules=[SimpleNamespace(rule=int(rule), rows=many) for rule, many in given["rules"].items()]
    )
    counted.check(cast("TokenColumn", signed))


def join(given: Given) -> list[list[Any]]:
    with TemporaryDirectory() as folder, TokenTable(Path(folder)) as table:
        for number, side in enumerate(("left", "right")):
            table.add(number, raw(given[side]))
        table.join([(0, 1)], given["frequency_limit"])
        pairs = list(table.pairs())
    return sorted(
        [one.left_handle.hex(), one.right_handle.hex(), [n for n in range(1, 64) if one.rules >> n - 1 & 1]]
        for one in pairs
    )


OPERATIONS: dict[str, Operation] = {"token": token, "rows": rows, "count": count, "join": join}
