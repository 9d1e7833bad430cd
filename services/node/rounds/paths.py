"""Paths of the files of a round below `chunks/`: one folder for each round, one in it for each submission.

Elements and evaluations look random without the key. Digested batches, runs and rows hold input digests, as
telling as the records beside which they lie in the node's home. Token rows and token secrets are sealed.
"""


def submission(round_id: str, submission_id: str) -> str:
    """Return the folder of a submission, an own one or another party's."""
    return f"{round_id}/{submission_id}"


def runs(round_id: str, submission_id: str) -> str:
    """Return the folder of an own submission's runs."""
    return f"{submission(round_id, submission_id)}/runs"


def run(round_id: str, submission_id: str, batch: int, input_class: str) -> str:
    """Return the file of a batch's sorted rows of one class."""
    return f"{runs(round_id, submission_id)}/{input_class}-{batch}"


def digested(round_id: str, submission_id: str, batch: int) -> str:
    """Return the file of a batch's input digests between the two passes over an own list."""
    return f"{runs(round_id, submission_id)}/digested-{batch}"


def rows(round_id: str, submission_id: str, index: int) -> str:
    """Return the file of an own chunk's rows."""
    return f"{submission(round_id, submission_id)}/rows/{index}"


def blinded(round_id: str, submission_id: str, index: int) -> str:
    """Return the file of an own chunk's blinded elements."""
    return f"{submission(round_id, submission_id)}/blinded/{index}"


def answer(round_id: str, submission_id: str, index: int) -> str:
    """Return the file of this node's evaluation of another party's chunk."""
    return f"{submission(round_id, submission_id)}/answers/{index}"


def evaluated(round_id: str, submission_id: str, party: str, index: int) -> str:
    """Return the file of another party's evaluation of an own chunk."""
    return f"{submission(round_id, submission_id)}/evaluated/{party}/{index}"


def finalized(round_id: str, submission_id: str, counterpart: str, index: int) -> str:
    """Return the file of the sealed tokens and token secrets of an own chunk, until its column is put in order."""
    return f"{submission(round_id, submission_id)}/finalized/{counterpart}/{index}"


def tokens(round_id: str, submission_id: str, counterpart: str, index: int) -> str:
    """Return the file of a sealed part of an own column: a chunk of token rows, or a piece of tags."""
    return f"{submission(round_id, submission_id)}/tokens/{counterpart}/{index}"


def token_secrets(round_id: str, submission_id: str, counterpart: str, index: int) -> str:
    """Return the file of the sealed token secrets of a chunk of an own column."""
    return f"{submission(round_id, submission_id)}/token-secrets/{counterpart}/{index}"
