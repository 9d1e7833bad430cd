"""Tasks that find their bytes in files give what those give that carry them."""

from dataclasses import replace
from pathlib import Path

import pytest

from aquila.errors import ProofError
from aquila.protocol.submissions import tasks
from aquila.simulation.scratch_files import (
    StoredEvaluateTask,
    StoredFinalizeTask,
    StoredVerifyTask,
    evaluate_stored,
    finalize_stored,
    verify_stored,
)
from tests.support.staged_round import StagedRound


def test_a_chunk_from_file_to_file(stage: StagedRound, tmp_path: Path) -> None:
    stage.submitted()
    origin, node = stage.nodes["SI"], stage.nodes["RS"]
    path, answer, chunk = origin.chunks.path(0), tmp_path / "answer", origin.chunks.elements(0)
    work = node.party.to_evaluate(node.round, node.secrets, origin.submission_id, 0, chunk, bytes(32))
    stored = StoredEvaluateTask(replace(work, chunk=b""), path, answer)
    done, expected = evaluate_stored(stage.group, stored), tasks.evaluate_chunk(stage.group, work)
    assert done == replace(expected, elements=b"")
    assert answer.read_bytes() == expected.elements

    key = node.secrets.shares[origin.chunks.references[0].input_class].public_key
    verifying = StoredVerifyTask(tasks.VerifyTask(key, work.context, b"", b"", done.proof), path, answer)
    verify_stored(stage.group, verifying)
    (tmp_path / "other").write_bytes(chunk)
    with pytest.raises(ProofError):
        verify_stored(stage.group, replace(verifying, answer=tmp_path / "other"))

    carried = tasks.CarriedSecret.of(origin.seed), tasks.CarriedSecret.of(node.secrets.shares["full"])
    finalizing = tasks.FinalizeTask(*carried, origin.chunks.rows(0), [expected.elements])
    by_name = StoredFinalizeTask(replace(finalizing, rows=finalizing.rows[:0], evaluations=[b""]), path, (answer,))
    made = finalize_stored(stage.group, by_name)
    assert (made.chunk, made.verify_seconds) == (tasks.finalize(stage.group, finalizing), 0.0)
    at_once = replace(by_name, unverified=(verifying.work,))
    assert finalize_stored(stage.group, at_once).chunk == made.chunk
    with pytest.raises(ProofError):
        finalize_stored(stage.group, replace(at_once, answers=(tmp_path / "other",)))
    for thing in (stored, verifying, by_name, made):
        assert " object at 0x" in repr(thing)
