"""A forged chunk of 65,535 wrong evaluations, for which RFC 9497's weights accept the proof."""

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from aquila.crypto import dleq, oprf
from aquila.crypto.backend import load_group
from aquila.crypto.group import Group
from aquila.crypto.shares import Share
from aquila.errors import ProofError
from tests.support.rfc9497 import rfc_weights

COUNT = 65_535


class Forgery(NamedTuple):
    """The parts of the file, in its order."""

    public_key: bytes
    secret_key: bytes
    proof: bytes
    inputs: bytes
    outputs: bytes


@pytest.fixture(scope="module")
def group() -> Group:
    """The backend of this machine; that both give the same weighted sums is shown by `unit/aquila/crypto`."""
    return load_group()


@pytest.fixture(scope="module")
def forgery() -> Forgery:
    """The forged chunk."""
    content = Path(__file__).with_name("forged_dleq_batch.bin").read_bytes()
    cuts = [0, 32, 64, 128, 128 + 32 * COUNT, 128 + 64 * COUNT]
    return Forgery(*(content[start:end] for start, end in pairwise(cuts)))


def test_every_evaluation_is_wrong(group: Group, forgery: Forgery) -> None:
    """Not one of a sample of the outputs is the secret key times its input."""
    share = Share.from_bytes(group, forgery.secret_key)
    assert share.public_key == forgery.public_key
    sample = range(0, COUNT, 131)
    inputs = b"".join(forgery.inputs[32 * index : 32 * index + 32] for index in sample)
    right = oprf.evaluate(group, inputs, share)
    assert not [
        index
        for place, index in enumerate(sample)
        if right[32 * place : 32 * place + 32] == forgery.outputs[32 * index : 32 * index + 32]
    ]


def test_rfc_weights_accept_the_forgery(group: Group, forgery: Forgery) -> None:
    """The forgery is a real one: with the RFC's weights the proof verifies."""
    weights = rfc_weights(forgery.public_key, forgery.inputs, forgery.outputs)
    dleq.verify(group, forgery.public_key, forgery.inputs, forgery.outputs, weights, forgery.proof)


def test_weights_in_use_refuse_the_forgery(group: Group, forgery: Forgery) -> None:
    """With the weights in use the same proof does not verify."""
    with pytest.raises(ProofError):
        dleq.verify_chunk(group, forgery.public_key, b"context", forgery.inputs, forgery.outputs, forgery.proof)
