"""Whoever reads everything that is sent or said finds no name, date, number, input or secret of any list."""

import base64
from collections.abc import Callable, Iterator

import pytest

from aquila.crypto import oprf
from aquila.errors import AquilaError
from aquila.protocol.messages import Consent, Evaluation, Opening, Receipt, Submission, Tokens
from aquila.protocol.rounds.locks import pair_key
from aquila.protocol.submissions.submission import DIGEST_BYTES, blinds_of
from aquila.records.inputs import record_inputs
from aquila.records.rules import InputClass
from tests.support.staged_round import StagedRound, person

PERSONS = {
    "AL": (
        person("Zq-kartela-1", "Besnik", "Hoxhallari", "1979-05-06", document_numbers=("BZ7350291",)),
        person("Zq-kartela-2", "Арбендорф", "Красничијев", "1988-11-30"),
    ),
    "SI": (
        person("Zq-oseba-1", "Besnik", "Hoxhallari", "1979-05-06", phones=("+38640555019",)),
        person("Zq-oseba-2", "Anastazija", "Novakovič", "1980-03-04", emails=("anastazija.n@example.si",)),
    ),
}


@pytest.fixture
def played(staged: Callable[..., StagedRound]) -> StagedRound:
    """A round under the full table with dummies, played until everyone has its hits, but not closed."""
    stage = staged(PERSONS, rules="default", chunk_elements=64)
    stage.reported()
    return stage


def sent(stage: StagedRound) -> Iterator[bytes]:
    yield from (stage.manifest_envelope, *stage.envelopes)
    yield from stage.signed_payloads()
    for node in stage.nodes.values():
        yield from map(node.chunks.elements, range(len(node.chunks)))
    yield from (answer.elements for answer in stage.answers.values())
    yield from (rows for chunks in stage.tokens.values() for rows in chunks)


def said(stage: StagedRound) -> Iterator[bytes]:
    """Yield every error that the round's own statements give where they do not belong, and how objects print."""
    record = stage.new_record()
    for envelope in stage.envelopes:
        for lie in (envelope, envelope[:-9], envelope.replace(b"A", b"B", 1), envelope + b" "):
            try:
                record.accept(lie, now=2**40)
            except AquilaError as error:
                yield f"{error} {error.hint} {error.fields}".encode()
    for node in stage.nodes.values():
        for index in range(len(node.chunks)):
            for other in stage.nodes.values():
                with pytest.raises(AquilaError) as caught:
                    stage.send_chunk(node.code, other.code, index, node.chunks.elements(index)[:-1])
                yield f"{caught.value} {caught.value.hint} {caught.value.fields}".encode()
        yield f"{node.secrets} {node.seed} {node} {node.round} {node.party}".encode()
    yield f"{stage.round}".encode()


def personal(stage: StagedRound) -> Iterator[bytes]:
    for records in stage.lists.values():
        for record in records:
            born = str(record.date_of_birth)
            texts = [record.record_id, *record.given_names, *record.family_names, born, born.replace("-", "")]
            texts += [*record.document_numbers, *record.phones, *record.emails]
            yield from (text.encode() for text in texts)
            yield from (item.value for item in record_inputs(record, stage.table) if len(item.value) >= 6)


def secret(stage: StagedRound) -> Iterator[bytes]:
    for node in stage.nodes.values():
        yield node.seed.to_bytes()
        yield from (share.to_bytes() for share in node.secrets.shares.values())
        yield from (node.secrets.lock.to_bytes(), node.secrets.sealing.to_bytes(), node.party.identity.to_bytes())
        for index, reference in enumerate(node.chunks.references):
            rows = node.chunks.rows(index)
            digests, named = rows["digest"].tobytes(), bytes.fromhex(node.submission_id)
            blinds = blinds_of(stage.group, node.seed, named, rows["number"], digests)
            yield from cut(blinds)
            yield from cut(stage.group.multiply_base(blinds))
            yield from cut(digests)
            yield from cut(oprf.hash_inputs(stage.group, digests, DIGEST_BYTES))
            share = node.secrets.shares[reference.input_class]
            yield from cut(oprf.evaluate(stage.group, rows["element"].tobytes(), share))
            yield from cut(oprf.evaluate_inputs(stage.group, digests, DIGEST_BYTES, share))
            for code in node.round.evaluators_of(node.submission_id):
                key = stage.nodes[code].secrets.shares[reference.input_class].public_key
                yield from cut(oprf.unblind(stage.group, stage.answer_of(node, index, code), key, blinds))
        for code in node.round.counterparts_of(node.code):
            for purpose in ("tokens", "shadow"):
                yield pair_key(node.round, node.code, node.secrets, code, purpose).to_bytes()
            for chunk in node.finalized(code):
                yield from cut(chunk.secrets)


def cut(values: bytes) -> Iterator[bytes]:
    return (values[start : start + 32] for start in range(0, len(values), 32))


def spellings(value: bytes) -> tuple[bytes, ...]:
    return value, value.hex().encode(), base64.b64encode(value).rstrip(b"=")[:-1]


def test_nothing_personal_is_sent_or_said(played: StagedRound) -> None:
    """No statement, element, token row, error or printed object holds a person's name, date, number or id."""
    everything = b"\n".join((*sent(played), *said(played))).lower()
    found = [value for value in personal(played) if value.lower() in everything]
    assert not found


def test_no_secret_is_sent_or_said(played: StagedRound) -> None:
    """Nor does any hold an input digest, a blind, a share, a seed, a key or a token secret, however written."""
    everything = b"\n".join((*sent(played), *said(played)))
    secrets = list(secret(played))
    assert len(secrets) > 100
    assert not [value for value in secrets if any(form in everything for form in spellings(value))]


def test_the_search_would_find_it(played: StagedRound) -> None:
    """The same search finds what is there on purpose: public keys, and the tokens among the rows."""
    everything = b"\n".join(sent(played))
    for code, consent in played.round.consents.items():
        keys = {share.input_class: share.public_key for share in consent.shares}
        for kind in InputClass:
            key = played.nodes[code].secrets.shares[kind].public_key
            assert keys[kind] == key.hex()
            assert any(form in everything for form in spellings(key))


def test_a_record_that_did_not_hit_has_no_trace(played: StagedRound) -> None:
    for node in played.nodes.values():
        (counterpart,) = played.round.counterparts_of(node.code)
        hits = (hit for report in played.reports_to(node.code) for hit in report.hits)
        named = node.record_ids_of([bytes.fromhex(hit.handle) for hit in hits], counterpart)
        assert set(named.values()) == {played.lists[node.code][0].record_id}


def test_every_kind_of_statement_was_searched(played: StagedRound) -> None:
    kinds = {kind.payload_type.encode() for kind in (Consent, Opening, Submission, Evaluation, Tokens, Receipt)}
    assert not [kind for kind in kinds if not any(kind in envelope for envelope in played.envelopes)]
