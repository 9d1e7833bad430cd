"""Statements that are refused: by their form, and in a round that has come so far (PROTOCOL.md 2.1, 3)."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from aquila.crypto.keys import IdentityKey
from aquila.protocol.encoding import canonical
from aquila.protocol.messages import (
    ANNOUNCEMENTS,
    PARTY_STATEMENTS,
    Acknowledgement,
    Closing,
    Confirmation,
    Consent,
    Ending,
    Evaluation,
    HitReport,
    Locks,
    Manifest,
    Message,
    Notes,
    Opening,
    Outcomes,
    Receipt,
    Refusal,
    ReportCheck,
    Submission,
    Tokens,
    Withdrawal,
)
from tests.support.samples import OTHER, SAMPLES
from tests.vectors.making import definition
from tests.vectors.making.consent import context_of, proof_of
from tests.vectors.making.framing import envelope
from tests.vectors.making.theme import Theme, octets
from tests.vectors.making.whole_round import played

ABOUT = """
Messages whose form is refused, whatever the round; and statements that a record refuses after the first `after`
ones of `whole_round.json`.
"""
SOURCE = """
own: samples of each message, and those of the whole round, with one thing changed, signed anew by whoever signs
"""
OPERATIONS = """
read: payload type and payload (UTF-8): whether it is this message in its one encoding
propose: envelope (UTF-8) of a manifest, at somebody who holds the registry of the whole round: whether it may be a
    round
take: how many statements of the round came before, the second at which this one comes, and its envelope (UTF-8), at
    a record that sees everything, as the matcher's: whether it counts
"""

FORMS = {
    "manifest": "3.1.1",
    "consent": "3.3.2",
    "opening": "3.3.4",
    "locks": "3.3.8",
    "submission": "3.4.3",
    "evaluation": "3.5.2",
    "tokens": "3.6.1",
    "hits": "3.7.3",
    "receipt": "3.7.4",
    "notes": "3.7.6",
    "confirmation": "3.7.8",
    "reportcheck": "3.7.13",
    "alarm": "3.7.14",
    "withheldanswer": "3.7.16",
    "ending": "3.9.1",
    "refusal": "3.9.1",
    "closing": "3.9.2",
    "withdrawal": "3.11.1",
    "acknowledgement": "3.11.3",
    "outcomes": "3.11.4",
    "followup": "3.11.6",
}
"""The paragraph of each message."""


def make() -> Theme:
    theme = Theme("statements", ABOUT, SOURCE, OPERATIONS)
    for kind in (*PARTY_STATEMENTS, *ANNOUNCEMENTS):
        word = kind.payload_type.split(".")[-1].partition("+")[0]
        given = _payload(kind, SAMPLES[kind])
        theme.valid(f"form_of_{word}", "read", FORMS[word], given)
    _forms(theme)
    for name, (paragraph, after, said, refused) in _in_the_round().items():
        given = {"after": after, "time": played().said[after - 1]["time"], "envelope": said}
        theme.invalid(name, "take", paragraph, given, refused)
    _proposals(theme)
    late = _Round()
    for name, at, time in (
        ("consent_after_its_deadline", late.at(Consent, "SI"), "consent_by"),
        ("locks_after_their_deadline", late.at(Locks, "SI"), "submit_by"),
        ("list_after_its_deadline", late.at(Submission, "SI"), "submit_by"),
    ):
        deadline = json.loads(late.payload(0))["window"][time]
        given = {"after": at, "time": deadline + 1, "envelope": late.said[at]["envelope"]}
        theme.invalid(name, "take", {"consent_by": "3.3.1", "submit_by": "3.4.2"}[time], given, "order")
    return theme


def _forms(theme: Theme) -> None:
    def refused(name: str, kind: type[Message], payload: str | Mapping[str, Any], paragraph: str = "2.1") -> None:
        theme.invalid(name, "read", paragraph, _payload(kind, payload), "malformed")

    receipt, closing = SAMPLES[Receipt], SAMPLES[Closing]
    text = canonical(receipt).decode()
    refused("message_with_an_unknown_member", Receipt, receipt | {"name": "Ana"})
    refused("message_without_a_member", Receipt, {key: one for key, one in receipt.items() if key != "binding"})
    refused("message_with_null_for_an_optional_member", Closing, closing | {"given_up": None})
    refused("message_without_a_member_that_may_be_null", Closing, {k: v for k, v in closing.items() if k != "binding"})
    refused(
        "message_with_members_in_another_order",
        Receipt,
        "{" + text[1:-1].split(",", 1)[1] + "," + text[1:].split(",", 1)[0] + "}",
    )
    refused("message_with_blanks", Receipt, text.replace(",", ", ", 1))
    refused("message_with_a_member_twice", Receipt, text[:-1] + ',"submission_id":null}')
    refused("message_with_a_fraction", Receipt, text.replace('"sequence":1', '"sequence":1.0'))
    refused("message_with_a_number_as_text", Receipt, receipt | {"sequence": "1"})
    refused("message_with_a_negative_count", Receipt, receipt | {"hits": {"high": -1, "medium": 0, "low": 0}})
    refused("message_with_the_number_zero", Receipt, receipt | {"sequence": 0})
    refused("message_with_digits_in_capitals", Receipt, receipt | {"binding": receipt["binding"].upper()})
    refused("message_with_a_digest_of_31_bytes", Receipt, receipt | {"binding": receipt["binding"][2:]})
    refused("message_with_a_party_in_small_letters", Receipt, receipt | {"counterpart": "al"})
    refused("message_with_an_escaped_letter", Refusal, canonical(SAMPLES[Refusal]).decode().replace("the", "\\u0074he"))
    refused("message_of_another_kind", Consent, receipt)
    refused("message_that_is_a_list", Receipt, "[]")
    refused("message_in_another_encoding", Receipt, text + "\n")
    manifest = SAMPLES[Manifest]

    def formed(name: str, kind: type[Message], **changes: Any) -> None:
        refused(name, kind, SAMPLES[kind] | changes, "2.1.1")

    formed("manifest_of_another_protocol", Manifest, protocol="aquila/1")
    formed("manifest_with_participants_out_of_order", Manifest, participants=manifest["participants"][::-1])
    formed("manifest_with_a_pair_out_of_order", Manifest, pairs=[["RS", "AL"]])
    formed("manifest_with_a_pair_of_a_stranger", Manifest, pairs=[["AL", "XX"]])
    formed("manifest_without_a_cap", Manifest, caps=manifest["caps"][1:])
    formed("manifest_with_deadlines_out_of_order", Manifest, window=manifest["window"] | {"submit_by": 9})
    formed("manifest_with_padding_out_of_order", Manifest, padding=manifest["padding"] | {"inputs_per_record": [16, 8]})
    formed("list_with_chunks_out_of_the_order_of_classes", Submission, **_classes_reversed())
    formed("tokens_with_sets_left_out_of_order", Tokens, column=SAMPLES[Tokens]["column"] | {"left_out": [2, 1]})
    formed("opening_with_consents_out_of_order", Opening, consents=SAMPLES[Opening]["consents"][::-1])
    formed("consent_with_shares_in_another_order", Consent, shares=SAMPLES[Consent]["shares"][::-1])
    formed("consent_without_the_class_coarse", Consent, shares=SAMPLES[Consent]["shares"][:2])
    formed("list_whose_chunks_do_not_add_up", Submission, elements={"full": 4, "partial": 2, "coarse": 1})
    formed("withdrawal_of_hits_out_of_order", Withdrawal, hits=[OTHER, "0" * 32])
    formed("withdrawal_for_another_reason", Withdrawal, ground="because")
    formed("outcomes_with_levels_out_of_order", Outcomes, pairs=[_reversed_levels()])
    formed("closing_that_destroyed_nothing", Closing, destroyed=False)
    formed("closing_that_gives_up_its_own_number", Closing, given_up=[[1, 1]])
    formed("closing_that_gives_up_overlapping_numbers", Closing, sequence=9, given_up=[[1, 4], [4, 5]])
    refuted = [{"hit_id": one, "fault": "sealed"} for one in ("f" * 32, "e" * 32)]
    formed("confirmation_with_hits_out_of_order", Confirmation, refuted=refuted)
    weights = [{"of": of, "centibits": 1} for of in ("whole date", "names")]
    formed("report_with_weights_out_of_order", HitReport, basis=SAMPLES[HitReport]["basis"] | {"learned": weights})
    _pages(theme)


def _pages(theme: Theme) -> None:
    paged = SAMPLES[HitReport] | {"submission_id": None}
    page = paged | {"page": {"number": 0, "pages": 2}}
    theme.valid("page_of_a_report", "read", "3.7.17", _payload(HitReport, page))
    for name, changes in {
        "page_beyond_the_last": {"page": {"number": 2, "pages": 2}},
        "page_of_one": {"page": {"number": 0, "pages": 1}},
        "page_of_a_query": {"submission_id": OTHER},
        "page_without_pairs": {"hits": []},
        "page_with_a_hit_twice": {"hits": page["hits"] * 2},
    }.items():
        theme.invalid(name, "read", "3.7.17", _payload(HitReport, page | changes), "malformed")


def _proposals(theme: Theme) -> None:
    of = _Round()
    manifest = json.loads(of.payload(0))
    first, *others = manifest["participants"]
    stranger = IdentityKey(octets("identity of a stranger")).public.fingerprint
    theme.valid("manifest", "propose", "3.1.2", {"envelope": of.said[0]["envelope"]})
    for name, participants, by in (
        ("manifest_signed_by_a_party", manifest["participants"], "SI"),
        ("manifest_with_another_key_of_a_party", [first | {"identity_fingerprint": stranger}, *others], "matcher"),
        ("manifest_with_the_key_of_another_party", [others[0] | {"party": first["party"]}, *others], "matcher"),
    ):
        said = of.signed(Manifest, manifest | {"participants": participants}, by)
        theme.invalid(name, "propose", "3.1.2", {"envelope": said}, "signature")


def _payload(kind: type[Message], payload: str | Mapping[str, Any]) -> dict[str, str]:
    text = payload if isinstance(payload, str) else canonical(dict(payload)).decode()
    return {"payload_type": kind.payload_type, "payload": text}


def _classes_reversed() -> dict[str, Any]:
    """Return a partial chunk before a full one, which add up."""
    chunk = SAMPLES[Submission]["chunks"][0] | {"elements": 1}
    chunks = [chunk | {"input_class": kind} for kind in ("partial", "full")]
    return {"chunks": chunks, "elements": {"full": 1, "partial": 1, "coarse": 0}}


def _reversed_levels() -> dict[str, Any]:
    (pair,) = SAMPLES[Outcomes]["pairs"]
    return dict(pair) | {"levels": pair["levels"][::-1]}


class _Round:
    """The whole round's statements, and what somebody signs in their place."""

    def __init__(self) -> None:
        self.said = played().said
        self.kinds = [json.loads(one["envelope"])["payloadType"] for one in self.said]

    def payload(self, at: int) -> str:
        return base64.b64decode(json.loads(self.said[at]["envelope"])["payload"]).decode()

    def at(self, kind: type[Message], party: str | None = None, number: int = 0) -> int:
        """Return the place of a message of a kind, by a party."""
        found = [
            place
            for place, one in enumerate(self.kinds)
            if one == kind.payload_type and party in (None, json.loads(self.payload(place)).get("party"))
        ]
        return found[number]

    def signed(self, kind: type[Message], content: Mapping[str, Any], by: str) -> str:
        """Return the envelope of a message that somebody signs."""
        key: IdentityKey = played().keys[by]
        return canonical(envelope(canonical(dict(content)), key.to_bytes(), kind.payload_type)).decode()

    def changed(self, kind: type[Message], party: str, /, by: str | None = None, **changes: Any) -> str:
        """Return a message of the round with some members changed, signed by its party or somebody else."""
        content = json.loads(self.payload(self.at(kind, None if party == "matcher" else party)))
        whole = {name: one for name, one in (content | changes).items() if one is not Ellipsis}
        return self.signed(kind, whole, by or party)


def _in_the_round() -> dict[str, tuple[str, int, str, str]]:
    """Return by name the paragraph, how many statements come before, the envelope and the class of the problem."""
    of = _Round()
    consent, opening, locks = of.at(Consent, "SI"), of.at(Opening), of.at(Locks, "SI")
    listed, evaluated = of.at(Submission, "SI"), of.at(Evaluation, "SI")
    tokens, report, checked = of.at(Tokens, "SI"), of.at(HitReport, "SI"), of.at(ReportCheck, "SI")
    receipt, notes, confirmed = of.at(Receipt, "SI"), of.at(Notes, "SI"), of.at(Confirmation, "SI")
    ending, closing, end = of.at(Ending), of.at(Closing, "SI"), len(of.said)
    withdrawn = of.at(Withdrawal)
    other, sequences = octets("another binding").hex(), {"sequence": 1_000}
    shares = json.loads(of.payload(consent))["shares"]
    theirs = json.loads(of.payload(of.at(Consent, "AL")))["shares"]
    head = {"log_head": {"size": 1, "root": "0" * 64}}
    return {
        "statement_of_another_round": ("3.2.1", locks, of.changed(Locks, "SI", round_id="0" * 32), "binding"),
        "statement_under_another_binding": ("3.2.3", locks, of.changed(Locks, "SI", binding=other), "binding"),
        "statement_signed_by_another_party": ("2.4", locks, of.changed(Locks, "SI", by="RS"), "signature"),
        "statement_signed_by_the_matcher": ("2.4", locks, of.changed(Locks, "SI", by="matcher"), "signature"),
        "statement_without_a_log_head": ("3.2.5", locks, of.changed(Locks, "SI", log_head=...), "malformed"),
        "number_used_for_another_statement": ("3.2.2", locks + 1, of.changed(Locks, "SI", **head), "equivocation"),
        "consent_to_another_manifest": (
            "3.3.1", consent, of.changed(Consent, "SI", manifest_digest="0" * 64), "binding",
        ),
        "consent_twice": ("3.3.1", consent + 1, of.changed(Consent, "SI", **sequences), "equivocation"),
        "consent_to_more_elements_than_the_cap": (
            "3.3.7", consent, of.changed(Consent, "SI", elements={"full": 13, "partial": 1, "coarse": 1}), "cap",
        ),
        "consent_with_a_proof_of_another_party": (
            "3.3.2", consent,
            of.changed(Consent, "SI", shares=[shares[0] | {"proof": theirs[0]["proof"]}, *shares[1:]]), "proof",
        ),
        "consent_with_the_share_of_another_party": (
            "3.3.3", consent, of.changed(Consent, "SI", shares=[theirs[0], *shares[1:]]), "policy",
        ),
        "consent_with_a_share_the_identity": (
            "3.3.3", consent, of.changed(Consent, "SI", shares=[shares[0] | {"public_key": "0" * 64}, *shares[1:]]),
            "malformed",
        ),
        "consent_with_a_sealing_key_that_is_none": (
            "3.3.2", consent, of.changed(Consent, "SI", **_keys_with(of, consent, "ff" * 1216)), "malformed",
        ),
        "opening_with_another_binding": ("3.3.4", opening, of.changed(Opening, "matcher", binding=other), "binding"),
        "opening_without_a_consent_that_came": (
            "3.3.4", opening, of.changed(Opening, "matcher", consents=_without_one(of, opening)), "binding",
        ),
        "opening_twice": ("3.3.4", opening + 1, of.changed(Opening, "matcher", binding=other), "equivocation"),
        "opening_signed_by_a_party": ("3.3.4", opening, of.changed(Opening, "matcher", by="SI"), "signature"),
        "locks_for_a_party_that_may_not_be_compared": (
            "3.3.8", locks, of.changed(Locks, "SI", halves=_for_another(of, locks)), "malformed",
        ),
        "locks_for_nobody": ("3.3.8", locks, of.changed(Locks, "SI", halves=[]), "malformed"),
        "locks_twice": ("3.3.8", locks + 1, of.changed(Locks, "SI", **sequences), "equivocation"),
        "list_before_its_locks": ("3.4.1", opening + 1, of.said[listed]["envelope"], "order"),
        "list_of_more_elements_than_declared": (
            "3.4.3", listed, of.changed(Submission, "SI", **_larger(of, listed)), "cap",
        ),
        "list_with_a_chunk_larger_than_the_manifest_allows": (
            "3.4.3", listed, of.changed(Submission, "SI", **_one_chunk(of, listed)), "malformed",
        ),
        "list_twice": (
            "3.4.1", listed + 1, of.changed(Submission, "SI", submission_id="0" * 32, **sequences), "equivocation",
        ),
        "query_where_the_mode_allows_none": (
            "3.4.1", listed, of.changed(Submission, "SI", kind="query"), "policy",
        ),
        "evaluation_by_a_party_that_may_not_be_compared": (
            "3.5.1", evaluated, _evaluation(of, "AL", listed, 0), "policy",
        ),
        "evaluation_of_the_own_list": ("3.5.1", evaluated, _evaluation(of, "SI", listed, 0), "order"),
        "evaluation_of_a_chunk_that_is_not_there": (
            "3.5.2", evaluated, of.changed(Evaluation, "SI", index=99), "malformed",
        ),
        "evaluation_of_another_class": (
            "3.5.2", evaluated, of.changed(Evaluation, "SI", input_class="coarse"), "binding",
        ),
        "evaluation_of_more_elements": ("3.5.2", evaluated, of.changed(Evaluation, "SI", elements=9), "binding"),
        "evaluation_of_other_inputs": ("3.5.2", evaluated, of.changed(Evaluation, "SI", input_digest=other), "binding"),
        "evaluation_twice": (
            "3.5.3", evaluated + 1, of.changed(Evaluation, "SI", output_digest=other, **sequences), "equivocation",
        ),
        "tokens_before_the_evaluations": ("3.6.3", evaluated, of.said[tokens]["envelope"], "order"),
        "tokens_before_the_list_of_the_counterpart": (
            "3.6.4", listed, of.said[of.at(Tokens, "RS")]["envelope"], "order",
        ),
        "tokens_for_a_party_that_may_not_be_compared": (
            "3.6.1", tokens, of.changed(Tokens, "SI", column=_column(of, tokens, counterpart="AL")), "policy",
        ),
        "tokens_twice": (
            "3.6.1", tokens + 1, of.changed(Tokens, "SI", column=_column(of, tokens, key=other), **sequences),
            "equivocation",
        ),
        "tokens_with_a_chunk_of_other_rows": (
            "3.6.2", tokens, of.changed(Tokens, "SI", column=_column(of, tokens, chunks=[])), "malformed",
        ),
        "report_before_the_tokens": ("3.7.4", tokens, of.said[report]["envelope"], "order"),
        "report_of_another_number_of_records": (
            "3.7.3", report,
            of.changed(HitReport, "SI", basis=_basis(of, report, records=7), by="matcher"), "malformed",
        ),
        "report_under_another_binding": (
            "3.7.4", report, of.changed(HitReport, "SI", binding=other, by="matcher"), "binding",
        ),
        "report_signed_by_a_party": ("3.7.3", report, of.changed(HitReport, "SI", by="RS"), "signature"),
        "check_before_its_report": ("3.7.13", report, of.said[checked]["envelope"], "binding"),
        "check_of_another_report": ("3.7.13", checked, of.changed(ReportCheck, "SI", report_digest=other), "binding"),
        "receipt_before_its_report": ("3.7.4", report, of.said[receipt]["envelope"], "binding"),
        "receipt_of_other_numbers": (
            "3.7.4", receipt, of.changed(Receipt, "SI", hits={"high": 99, "medium": 0, "low": 0}), "malformed",
        ),
        "receipt_twice": ("3.2.6", receipt + 1, of.changed(Receipt, "SI", **sequences), "repeated"),
        "notes_before_the_report": ("3.7.6", report, of.said[notes]["envelope"], "order"),
        "batch_of_notes_twice": (
            "3.7.6", notes + 1, of.changed(Notes, "SI", sealed="AAAA", **sequences), "equivocation",
        ),
        "confirmation_before_its_notes": ("3.7.8", of.at(Notes, "RS"), of.said[confirmed]["envelope"], "order"),
        "confirmation_of_another_number": (
            "3.7.8", confirmed, of.changed(Confirmation, "SI", notes_sequence=99), "malformed",
        ),
        "confirmation_of_more_hits": ("3.7.8", confirmed, of.changed(Confirmation, "SI", confirmed=99), "malformed"),
        "ending_before_any_report": ("3.9.1", tokens, of.said[ending]["envelope"], "order"),
        "ending_twice": ("3.9.1", ending + 1, of.changed(Ending, "matcher", reason="another"), "equivocation"),
        "list_after_the_ending": (
            "3.9.5", ending + 1, of.changed(Submission, "RS", submission_id="0" * 32, **sequences), "order",
        ),
        "closing_without_a_receipt": ("3.9.2", report, of.changed(Closing, "SI", **sequences), "order"),
        "closing_twice": ("3.2.6", closing + 1, of.changed(Closing, "SI", **sequences), "repeated"),
        "refusal_after_a_closing": (
            "3.2.6", end, of.signed(Refusal, _refusal(of, "SI"), "SI"), "repeated",
        ),
        "withdrawal_of_more_hits_than_acknowledged": (
            "3.11.5", end, of.signed(Withdrawal, _withdrawal(of, "SI", [f"{n:032x}" for n in range(9)]), "SI"), "order",
        ),
        "acknowledgement_by_a_party_that_was_not_sent_the_withdrawal": (
            "3.11.3", withdrawn + 1, of.changed(Acknowledgement, "RS", by="AL", party="AL", **sequences), "binding",
        ),
        "acknowledgement_of_more_hits_than_named": (
            "3.11.3", withdrawn + 1, of.changed(Acknowledgement, "RS", hits=2), "malformed",
        ),
        "outcomes_of_more_hits_than_acknowledged": (
            "3.11.5", end, of.changed(Outcomes, "SI", pairs=_more_outcomes(of), **sequences), "order",
        ),
        "withdrawal_for_a_party_without_hits": (
            "3.11.5", end, of.signed(Withdrawal, _withdrawal(of, "SI", ["0" * 32], "AL"), "SI"), "policy",
        ),
        "statement_of_a_stranger": ("3.2.3", locks, of.changed(Locks, "SI", party="XX"), "signature"),
    }  # fmt: skip


def _keys_with(of: _Round, at: int, sealing: str) -> dict[str, Any]:
    """Return SI's shares with another sealing key, and proofs that hold for it."""
    said = json.loads(of.payload(at))
    secrets = played().shared["parties"]["SI"]["shares"]
    keys = [bytes.fromhex(one["public_key"]) for one in said["shares"]]
    proved = []
    for one, public in zip(said["shares"], keys, strict=True):
        every = [*keys, bytes.fromhex(sealing)]
        context = context_of(bytes.fromhex(said["manifest_digest"]), "SI", one["input_class"], every)
        nonce = definition.reduced(octets(f"nonce of {one['input_class']}", 64))
        proof = proof_of(secrets[one["input_class"]], public, nonce, context)
        proved.append(one | {"proof": proof.hex()})
    return {"sealing_key": sealing, "shares": proved}


def _larger(of: _Round, at: int) -> dict[str, Any]:
    """Return a list with two chunks more in the class coarse."""
    said = json.loads(of.payload(at))
    more = {"input_class": "coarse", "elements": 8, "digest": "0" * 64}
    coarse = [one for one in said["chunks"] if one["input_class"] == "coarse"]
    others = [one for one in said["chunks"] if one["input_class"] != "coarse"]
    elements = said["elements"] | {"coarse": said["elements"]["coarse"] + 16}
    return {"elements": elements, "chunks": [*others, more, more, *coarse]}


def _one_chunk(of: _Round, at: int) -> dict[str, Any]:
    """Return a list whose elements of the class full are one chunk of nine."""
    said = json.loads(of.payload(at))
    others = [one for one in said["chunks"] if one["input_class"] != "full"]
    chunk = {"input_class": "full", "elements": 9, "digest": "0" * 64}
    return {"elements": said["elements"] | {"full": 9}, "chunks": [chunk, *others]}


def _without_one(of: _Round, at: int) -> list[Any]:
    return list(json.loads(of.payload(at))["consents"][:-1])


def _for_another(of: _Round, at: int) -> list[Any]:
    (half,) = json.loads(of.payload(at))["halves"]
    return [half | {"counterpart": "AL"}, half]


def _evaluation(of: _Round, by: str, listed: int, index: int) -> str:
    """Return an evaluation of a chunk of SI's list by somebody who is not asked."""
    origin, right = json.loads(of.payload(listed)), json.loads(of.payload(of.at(Evaluation, "RS")))
    chunk = origin["chunks"][index]
    content = right | {
        "party": by, "sequence": 1_000, "origin": "SI", "submission_id": origin["submission_id"], "index": index,
        "input_class": chunk["input_class"], "elements": chunk["elements"], "input_digest": chunk["digest"],
    }  # fmt: skip
    return of.signed(Evaluation, content, by)


def _column(of: _Round, at: int, **changes: Any) -> dict[str, Any]:
    return dict(json.loads(of.payload(at))["column"]) | changes


def _basis(of: _Round, at: int, **changes: Any) -> dict[str, Any]:
    return dict(json.loads(of.payload(at))["basis"]) | changes


def _more_outcomes(of: _Round) -> list[Any]:
    (pair,) = json.loads(of.payload(of.at(Outcomes)))["pairs"]
    return [pair | {"levels": [one | {"confirmed": 9} for one in pair["levels"]]}]


def _head(of: _Round, party: str) -> dict[str, Any]:
    closing = json.loads(of.payload(of.at(Closing, party)))
    return {name: closing[name] for name in ("round_id", "party", "log_head", "binding")} | {"sequence": 1_000}


def _refusal(of: _Round, party: str) -> dict[str, Any]:
    return {name: one for name, one in _head(of, party).items() if name != "binding"} | {"reason": "too late"}


def _withdrawal(of: _Round, party: str, hits: list[str], counterpart: str = "RS") -> dict[str, Any]:
    return _head(of, party) | {"counterpart": counterpart, "hits": hits, "ground": "incorrect"}
