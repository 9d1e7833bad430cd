"""Evaluations and their proofs."""

import hashlib
from types import SimpleNamespace
from typing import cast

from aquila.crypto import dleq
from aquila.crypto.shares import Share
from aquila.protocol.messages import Submission
from aquila.protocol.party import proof_context
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.submissions.tasks import CarriedSecret, EvaluateTask, VerifyTask, evaluate_chunk, verify_answers
from aquila.records.rules import InputClass
from tests.vectors.answers.given import GROUP, Given, Operation, cut, raw


def context_of(given: Given) -> bytes:
    chunks = {given["index"]: SimpleNamespace(input_class=InputClass(given["class"]))}
    origin = SimpleNamespace(party=given["origin"], submission_id=given["submission_id"], chunks=chunks)
    record = SimpleNamespace(binding_bytes=raw(given["binding"]))
    return proof_context(cast("Round", record), cast("Submission", origin), given["index"], given["evaluator"])


def evaluate(given: Given) -> Given:
    share = Share.from_bytes(GROUP, raw(given["share"]))
    elements, context = raw("".join(given["elements"])), context_of(given)
    made = evaluate_chunk(GROUP, EvaluateTask(CarriedSecret.of(share), context, elements, raw(given["fresh"])))
    digests = [hashlib.sha256(one).digest() for one in (elements, made.elements)]
    terms = share.public_key, context, *digests, len(given["elements"])
    weights = dleq.batch_weights(*terms)
    return {
        "context": context.hex(),
        "seed": dleq.batch_seed(*terms).hex(),
        "weights": [one[:32] for one in cut(weights, 32)],
        "M": GROUP.weighted_sum(elements, weights).hex(),
        "Z": GROUP.weighted_sum(made.elements, weights).hex(),
        "evaluated": cut(made.elements, 32),
        "input_digest": digests[0].hex(),
        "output_digest": made.digest,
        "proof": made.proof.hex(),
    }


def verify(given: Given) -> None:
    elements, evaluated = (raw("".join(given[name])) for name in ("elements", "evaluated"))
    proof = raw(given["proof"])
    verify_answers(GROUP, elements, [VerifyTask(raw(given["public_key"]), context_of(given), evaluated, proof)])


def nonce(given: Given) -> str:
    share = Share.from_bytes(GROUP, raw(given["share"]))
    return dleq.proof_nonce(GROUP, share, raw(given["fresh"]), raw(given["seed"])).hex()


OPERATIONS: dict[str, Operation] = {"evaluate": evaluate, "nonce": nonce, "verify": verify}
