"""An evaluation as a party makes it, all steps at once."""

from aquila.protocol.party import EvaluatedChunk, Party, RoundSecrets
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.submissions.tasks import evaluate_chunk


def evaluate(  # what the statement binds together
    party: Party,
    round_: Round,
    secrets: RoundSecrets,
    sequence: int,
    submission_id: str,
    index: int,
    chunk: bytes,
    fresh: bytes,
) -> EvaluatedChunk:
    """Check a chunk, evaluate it and sign the statement."""
    work = party.to_evaluate(round_, secrets, submission_id, index, chunk, fresh)
    return party.sign_evaluation(round_, sequence, submission_id, index, evaluate_chunk(party.group, work))
