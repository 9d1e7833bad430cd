"""Shadow columns and their checks."""

import hashlib

import numpy as np

from aquila.crypto.keys import SecretBytes
from aquila.octets import parted
from aquila.protocol.messages import MetTags
from aquila.protocol.shadow.checks import ReportedPair, ToldPairs, check_tags
from aquila.protocol.shadow.columns import dummies, key_digest, make_column, met_digest, query_dummies, tags_of
from aquila.protocol.shadow.meeting import ColumnTerms
from aquila.protocol.shadow.token_rows import RecordRows, Sets
from tests.vectors.answers.given import Given, Operation, RefusedError, raw


def key_of(given: Given) -> SecretBytes:
    return SecretBytes(raw(given["key"]))


def tag(given: Given) -> str:
    """Return the tag of a record that has these tokens and no other; what their numbers are is their order."""
    rows = RecordRows([b"".join(bytes(16) + b"\x01" + raw(one) for one in given["tokens"])])
    tokens = parted(rows.tokens.tobytes(), 16)
    chosen = np.array([[tokens.index(raw(one)) for one in given["tokens"]]], dtype=np.int64)
    return str(tags_of(key_of(given), rows, given["set"], chosen).tobytes().hex())


def dummy(given: Given) -> str:
    number = given["number"]
    if "asker" in given:
        query, number = divmod(number, 128)
        every = query_dummies(key_of(given), given["asker"], range(query, query + 1))
    else:
        every = dummies(key_of(given))
    return parted(every.tobytes(), 16)[number].hex()


def met(given: Given) -> str:
    return met_digest(np.array([raw(one) for one in given["tags"]], dtype="S16"))


def sets_of(given: Given) -> Sets:
    return tuple(map(tuple, given["sets"]))


def column(given: Given) -> Given:
    made = make_column(key_of(given), RecordRows([raw(given["rows"])]), sets_of(given))
    tags = parted(made.tags.tobytes(), 16)
    whole = hashlib.sha256(made.tags.tobytes()).hexdigest()
    return {"tags": len(tags), "sha256": whole, "first": tags[0].hex(), "last": tags[-1].hex()}


def check(given: Given) -> None:
    pairs = [
        ReportedPair(raw(one["own"]), raw(one["other"]), raw(one["places"]), is_hit=True) for one in given["pairs"]
    ]  # fmt: skip
    told = ToldPairs(pairs, MetTags(**given["met"]))
    terms = ColumnTerms(sets_of(given), frozenset())
    fault = check_tags(key_of(given), RecordRows([raw(given["rows"])]), terms, told)
    if fault is not None:
        raise RefusedError(fault.value)


OPERATIONS: dict[str, Operation] = {
    "tag": tag,
    "dummy": dummy,
    "key_digest": lambda given: key_digest(key_of(given)),
    "met_digest": met,
    "column": column,
    "check": check,
}
