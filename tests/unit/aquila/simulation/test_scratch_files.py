"""What lies on disk meanwhile comes back as it was, and goes.

Tasks that find their bytes in files give what those give that carry them.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aquila.errors import ProofError
from aquila.protocol.submissions import tasks
from aquila.protocol.submissions.submission import ROW
from aquila.records.rules import InputClass
from aquila.simulation.scratch_files import (
    Chunks,
    RecordIds,
    Runs,
    Spool,
    StoredEvaluateTask,
    StoredFinalizeTask,
    evaluate_stored,
    finalize_stored,
)
from tests.support.staged_round import StagedRound


def rows(*numbers: int) -> np.ndarray:
    made = np.zeros(len(numbers), dtype=ROW)
    made["number"] = numbers
    made["element"] = [bytes([number]) * 32 for number in numbers]
    return made


def test_a_spool_gives_back_its_pieces(tmp_path: Path) -> None:
    """In any order, empty ones too, and nobody else can read the file."""
    spool = Spool(tmp_path / "spool")
    pieces = [b"one", b"", b"three" * 1_000]
    for piece in pieces:
        spool.append(piece)
    assert [spool[number] for number in (2, 0, 1)] == [pieces[2], pieces[0], pieces[1]]
    assert len(spool) == 3
    assert spool.path.stat().st_mode & 0o077 == 0
    spool.delete()
    assert list(tmp_path.iterdir()) == []


def test_runs_are_read_where_they_lie(tmp_path: Path) -> None:
    runs = Runs(tmp_path / "runs")
    assert runs.mapped() == []
    for run in (rows(1, 2), rows(), rows(3)):
        runs.append(run)
    assert [run["number"].tolist() for run in runs.mapped()] == [[1, 2], [3]]
    runs.delete()
    assert list(tmp_path.iterdir()) == []


def test_chunks_come_back(tmp_path: Path) -> None:
    chunks = Chunks(tmp_path)
    for made in (rows(1, 2), rows(3)):
        chunks.append(InputClass.PARTIAL, made)
    assert [reference.elements for reference in chunks.references] == [2, 1]
    assert chunks.rows(0).tobytes() == rows(1, 2).tobytes()
    assert chunks.elements(1) == b"\x03" * 32
    for index, code in ((0, "RS"), (0, "AL"), (1, "RS")):
        chunks.answer(index, code).write_bytes(b"answer")
    chunks.delete(0)
    assert set(tmp_path.iterdir()) == {chunks.path(1), chunks.answer(1, "RS")}
    assert len(chunks) == 2


def test_record_ids_by_position() -> None:
    """Ids of any letters come back by their place, over empty batches too."""
    ids, given = RecordIds(), [["č-1", "b"], [], [""], ["\U0001f98a" * 9, "e"]]
    for batch in given:
        ids.append(batch)
    assert list(ids) == [record_id for batch in given for record_id in batch]
    assert len(ids) == 5


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
    verifying = tasks.VerifyTask(key, work.context, b"", done.proof)
    evaluations = {"AL": expected.elements, "RS": expected.elements}
    terms = origin.secrets, origin.seed, origin.submission_id, 0, origin.chunks.rows(0), evaluations
    finalizing = origin.party.to_finalize(origin.round, *terms)
    without = [replace(column, evaluated=b"") for column in finalizing.columns]
    work = replace(finalizing, rows=finalizing.rows[:0], columns=without)
    by_name = StoredFinalizeTask(work, path, (answer, answer), (verifying, verifying))
    made = finalize_stored(stage.group, by_name)
    assert made.chunks == tasks.finalize(stage.group, finalizing)
    (tmp_path / "other").write_bytes(chunk)
    with pytest.raises(ProofError):
        finalize_stored(stage.group, replace(by_name, answers=(answer, tmp_path / "other")))
    for thing in (stored, verifying, by_name, made):
        assert " object at 0x" in repr(thing)
