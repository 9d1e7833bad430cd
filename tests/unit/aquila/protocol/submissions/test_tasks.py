"""The heavy pieces as tasks: they travel, give what the party gives, and show nothing of themselves."""

from dataclasses import replace

import pytest

from aquila.crypto.group import Group
from aquila.crypto.keys import SecretBytes
from aquila.errors import KeyMaterialError, MalformedError, OrderError, ProofError
from aquila.octets import parted
from aquila.protocol.submission_plan import plan_submission
from aquila.protocol.submissions import tasks
from aquila.protocol.submissions.tasks import CarriedSecret, DigestedBatch, digest_records
from aquila.records.inputs import record_inputs
from aquila.records.rules import InputClass
from tests.support.pickled import sent
from tests.support.staged_round import LISTS, StagedRound


def test_a_secret_travels_and_shows_nothing(group: Group, stage: StagedRound) -> None:
    stage.consent()
    share = stage.nodes["SI"].secrets.shares[InputClass.FULL]
    carried = sent(CarriedSecret.of(share))
    assert isinstance(carried, CarriedSecret)
    with carried.share(group) as arrived:
        assert (arrived, arrived.public_key) == (share, share.public_key)
    with sent(CarriedSecret.of(SecretBytes(b"seed" * 8))).seed() as seed:
        assert seed.to_bytes() == b"seed" * 8
    assert repr(carried) == str(carried) == "CarriedSecret(...)"


def test_a_closed_secret_does_not_travel() -> None:
    seed = SecretBytes(bytes(32))
    seed.close()
    with pytest.raises(KeyMaterialError):
        CarriedSecret.of(seed)


def test_nothing_shows_what_it_holds(stage: StagedRound) -> None:
    """What a pool prints of a task that failed, arguments and results, is no more than a name and an address."""
    stage.submitted()
    origin, party_node = stage.nodes["SI"], stage.nodes["RS"]
    digested = digest_records(stage.round.binding_bytes, stage.table, LISTS["SI"])
    plan = plan_submission(stage.manifest, stage.table, [digested.outline()])
    chunk = origin.chunks.elements(0)
    evaluating = party_node.party.to_evaluate(
        party_node.round, party_node.secrets, origin.submission_id, 0, chunk, bytes(32)
    )
    evaluated = tasks.evaluate_chunk(stage.group, evaluating)
    blinding = plan.batch(0, origin.seed, origin.submission_id, digested)
    verifying = tasks.VerifyTask(bytes(32), b"", evaluated.elements, evaluated.proof)
    carried = CarriedSecret.of(origin.seed)
    column = tasks.ColumnTask("RS", carried, bytes(32), None, chunk)
    rows = origin.chunks.rows(0)
    finalizing = tasks.FinalizeTask("SI", bytes(16), carried, InputClass.FULL, carried, rows, [column])
    for thing in (
        digested,
        digested.outline(),
        evaluating,
        evaluated,
        blinding,
        blinding.inputs,
        verifying,
        finalizing,
        column,
        plan,
        carried,
    ):
        assert len(repr(thing)) < 100
        assert "..." in repr(thing) or " object at 0x" in repr(thing)


def test_a_digested_batch_comes_back(stage: StagedRound) -> None:
    """What a node writes to its disk is read back whole, an empty batch too; the outline says counts and rules."""
    for records in (LISTS["SI"], ()):
        batch = digest_records(bytes(32), stage.table, records)
        again = DigestedBatch.from_bytes(batch.to_bytes())
        assert again.to_bytes() == batch.to_bytes()
        found = [record_inputs(record, stage.table) for record in records]
        outline = again.outline()
        # It is kept for all batches at once, without the bytes of the batch that was read.
        assert all(column.base is None for column in (outline.counts, outline.entries, outline.traits))
        assert outline.counts.tolist() == list(map(len, found))
        assert outline.rules.tolist() == again.rules.tolist() == [item.rule for inputs in found for item in inputs]
        assert len(again.digests) == 32 * len(outline.entries)


def test_entries_tell_values_of_a_rule_apart(stage: StagedRound) -> None:
    records = [*LISTS["SI"], LISTS["SI"][0]]
    entries = digest_records(bytes(32), stage.table, records).outline().entries.tolist()
    assert len(set(entries)) == 2 * len(LISTS["SI"])
    assert entries[:2] == entries[-2:]


def test_a_chunk_through_its_tasks(stage: StagedRound) -> None:
    """Evaluated, signed, verified and finalized elsewhere, a chunk gives rows that its party sends."""
    stage.evaluated()
    party_node = stage.nodes["SI"]
    rows = party_node.chunks.rows(0)
    answers = {code: stage.answer_of(party_node, 0, code) for code in ("AL", "RS")}
    work = party_node.party.to_finalize(
        party_node.round, party_node.secrets, party_node.seed, party_node.submission_id, 0, rows, answers
    )
    made = sent(tasks.finalize(stage.group, sent(work)))
    stage.finalize(party_node)
    assert list(made) == ["AL", "RS"]
    for code, chunk in made.items():
        assert set(parted(chunk.rows, 33)) <= set(parted(b"".join(stage.tokens[party_node.submission_id, code]), 33))


def test_elements_out_of_order(stage: StagedRound) -> None:
    """The task refuses what the party could not see without looking at every element."""
    stage.submitted()
    chunk = stage.nodes["SI"].chunks.elements(0)
    carried = CarriedSecret.of(stage.nodes["RS"].secrets.shares[InputClass.FULL])
    with pytest.raises(MalformedError, match="ascending"):
        tasks.evaluate_chunk(stage.group, tasks.EvaluateTask(carried, b"", chunk[32:] + chunk[:32], bytes(32)))


def test_a_proof_of_something_else(stage: StagedRound) -> None:
    stage.submitted()
    origin, party_node = stage.nodes["SI"], stage.nodes["RS"]
    chunk = origin.chunks.elements(0)
    work = party_node.party.to_evaluate(party_node.round, party_node.secrets, origin.submission_id, 0, chunk, bytes(32))
    done = tasks.evaluate_chunk(stage.group, work)
    key = party_node.secrets.shares[InputClass.FULL].public_key
    verifying = tasks.VerifyTask(key, work.context, done.elements, done.proof)
    tasks.verify_answers(stage.group, chunk, [verifying])
    with pytest.raises(ProofError):
        tasks.verify_answers(stage.group, chunk, [replace(verifying, context=work.context + b"x")])


def test_one_column_of_two(stage: StagedRound) -> None:
    """A column needs the evaluations of its counterpart alone, and is the same whatever is made with it."""
    stage.evaluated()
    party_node = stage.nodes["SI"]
    terms = party_node.secrets, party_node.seed, party_node.submission_id, 0, party_node.chunks.rows(0)
    both = {code: stage.answer_of(party_node, 0, code) for code in ("AL", "RS")}
    alone, together = (
        tasks.finalize(stage.group, party_node.party.to_finalize(party_node.round, *terms, evaluated))
        for evaluated in ({"AL": both["AL"]}, both)
    )
    assert (set(alone), set(together)) == ({"AL"}, {"AL", "RS"})
    assert alone["AL"].rows == together["AL"].rows


def test_a_submission_that_left_meanwhile(stage: StagedRound) -> None:
    """A statement is not signed for work that no longer counts when it comes back."""
    stage.submitted()
    origin, party_node = stage.nodes["SI"], stage.nodes["RS"]
    chunk = origin.chunks.elements(0)
    work = party_node.party.to_evaluate(party_node.round, party_node.secrets, origin.submission_id, 0, chunk, bytes(32))
    done = tasks.evaluate_chunk(stage.group, work)
    stage.abort()
    with pytest.raises(OrderError, match="not to be evaluated here"):
        party_node.party.sign_evaluation(party_node.round, 9, origin.submission_id, 0, done)
