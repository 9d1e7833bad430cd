"""Certainty."""

from aquila.matching.certainty import log2_centibits
from tests.vectors.answers.given import Operation
from tests.vectors.making.grading import grade, learned, settle

OPERATIONS: dict[str, Operation] = {
    "log": lambda given: log2_centibits(given["n"], given["d"]),
    "grade": grade,
    "settle": settle,
    "learn": learned,
}
