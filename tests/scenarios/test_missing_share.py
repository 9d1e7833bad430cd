"""A coalition wants to know whether its guesses are in the lists of others, from all that the matcher has.

It holds every value of PROTOCOL.md 3.6 but one: the pair's key, or the values of one of the pair's shares.
"""

import hmac
from itertools import product

from aquila.crypto import oprf
from aquila.octets import parted
from aquila.protocol.encoding import framed
from aquila.protocol.rounds.locks import pair_key
from aquila.protocol.submissions.submission import DIGEST_BYTES, RowTerms, finalize_chunk
from aquila.simulation.party_state import SimulatedParty
from tests.support.staged_round import StagedRound


def tokens(rows: bytes) -> set[bytes]:
    return {row[17:] for row in parted(rows, 33)}


def plain_tokens(key: bytes, kind: str, *columns: bytes) -> set[bytes]:
    """Return the tokens of inputs, of which each column has 32 bytes: digest, and the values of either side."""
    rows = zip(*(parted(column, 32) for column in columns), strict=True)
    return {hmac.digest(key, framed("aquila/2 token", kind.encode(), *row), "sha512")[:16] for row in rows}


def every_token(stage: StagedRound) -> set[bytes]:
    return tokens(b"".join(rows for chunks in stage.tokens.values() for rows in chunks))


def keys_of(node: SimulatedParty) -> list[tuple[str, str]]:
    """Return with which others a party has keys, and for which purposes."""
    return [(other, purpose) for other in node.round.counterparts_of(node.code) for purpose in ("tokens", "shadow")]


def test_with_every_share_and_no_key_of_the_pair(stage: StagedRound) -> None:
    """All guesses are right here, and all shares known: without the key of RS and SI none of their tokens is made."""
    stage.finalized()
    node, partner, third = (stage.nodes[code] for code in ("SI", "RS", "AL"))
    theirs = tokens(b"".join(stage.tokens[node.submission_id, "RS"]))
    keys = [pair_key(third.round, "AL", third.secrets, *one) for one in keys_of(third)]
    for index, reference in enumerate(node.chunks.references):
        rows, kind, group = node.chunks.rows(index), reference.input_class, stage.group
        shares = [other.secrets.shares[kind] for other in (node, partner)]
        answer = oprf.evaluate(group, rows["element"].tobytes(), shares[1])
        assert answer == stage.answer_of(node, index, "RS")
        with pair_key(node.round, "SI", node.secrets, "RS", "tokens") as right:
            terms = [RowTerms("SI", "RS", key, shares[1].public_key, answer, None) for key in (*keys, right)]
            named = bytes.fromhex(node.submission_id)
            *guesses, true = finalize_chunk(group, rows, node.seed, named, kind, shares[0], terms)
        assert tokens(true.rows) <= theirs
        assert not tokens(b"".join(chunk.rows for chunk in guesses)) & theirs


def test_with_the_key_of_the_pair_and_no_evaluation(stage: StagedRound) -> None:
    """SI has the key, its own share, all of AL's, and what RS evaluated of its list; a guess needs RS for itself."""
    stage.finalized()
    node, colluding, victim = (stage.nodes[code] for code in ("SI", "AL", "RS"))
    sent = tokens(b"".join(stage.tokens[victim.submission_id, "SI"]))
    answered = [stage.answer_of(node, index, "RS") for index in range(len(node.chunks))]
    for index, reference in enumerate(victim.chunks.references):
        digests, kind, group = victim.chunks.rows(index)["digest"].tobytes(), reference.input_class, stage.group
        own, other, missing = (one.secrets.shares[kind] for one in (node, colluding, victim))
        elements = oprf.hash_inputs(group, digests, DIGEST_BYTES)
        have = [elements, *(oprf.evaluate(group, elements, share) for share in (own, other))]
        have += [(answer * len(digests))[: len(digests)] for answer in answered]
        mine = have[1]
        with pair_key(node.round, "SI", node.secrets, "RS", "tokens") as key:
            guesses = {
                token
                for low, high in product(have, have)
                for token in plain_tokens(key.to_bytes(), kind.value, digests, low, high)
            }
            right = oprf.evaluate(group, elements, missing)
            assert plain_tokens(key.to_bytes(), kind.value, digests, right, mine) <= sent
        assert not guesses & every_token(stage)
