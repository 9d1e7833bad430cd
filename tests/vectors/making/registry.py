"""The registry: words, invitations, requests, statements, acceptances and renewals (PROTOCOL.md 11)."""

import hashlib
from typing import Any

from aquila.crypto.keys import IdentityKey
from aquila.protocol.encoding import canonical
from aquila.protocol.registration.self_signed import Invitation, JoinRequest, KeyHandover, KeyRenewal
from aquila.protocol.registration.spoken_words import word_list
from aquila.protocol.registration.statements import RegistryAcceptance, RegistryStatement
from tests.vectors.making import definition
from tests.vectors.making.framing import envelope
from tests.vectors.making.theme import Theme, octets

NOW, URL = 1_800_000_000, "https://matcher.example:8700"
SEEDS = {name: octets(f"identity of {name}") for name in ("the matcher", "RS", "SI", "SI, renewed", "a stranger")}

ABOUT = """
Words of a digest; an invitation and the request that answers it; statements on the registry, one after the other;
an acceptance; and renewals of a key. A `seed` is that of an identity key (RFC 8032).
"""
SOURCE = "own: hashlib (scrypt) and the word list of BIP-39; Ed25519 of the `cryptography` package"
OPERATIONS = """
words: digest to the twelve words and the forty digits in groups of five
heard: digest and what was heard: whether it is that of the digest
invitation: envelope (UTF-8) and the second at which it is read: whether it is an invitation that counts
request: envelope (UTF-8), seed of the matcher's key and the second: whether the matcher may admit the party
statements: envelopes (UTF-8) of statements in their order and seed of the pinned matcher's key: whether they are
    verified, and follow one another
acceptable: envelope of a statement, seeds of the keys in force by holder, a party and the seed of its key: whether
    this party may accept
acceptance: envelope (UTF-8) and seeds of the keys in force by holder: whether it is a party's own
renewal: envelope (UTF-8), seed of the registered key, and whether it is revoked: whether the matcher takes the
    renewal
"""


def make() -> Theme:
    theme = Theme("registry", ABOUT, SOURCE, OPERATIONS)
    _words(theme)
    _joining(theme)
    _statements(theme)
    _renewals(theme)
    return theme


def public(name: str) -> str:
    return IdentityKey(SEEDS[name]).public.hex


def signed(kind: Any, content: dict[str, Any], by: str) -> str:
    return canonical(envelope(canonical(content), SEEDS[by], kind.payload_type)).decode()


def words_of(digest: bytes) -> tuple[list[str], list[str]]:
    """11.2."""
    found = hashlib.scrypt(digest, salt=b"aquila/2 spoken words", n=2**14, r=8, p=1, maxmem=2**26, dklen=16)
    value = int.from_bytes(found, "big") << 4 | hashlib.sha256(found).digest()[0] >> 4
    words = [word_list()[value >> 11 * place & 2047] for place in range(11, -1, -1)]
    digits = f"{int.from_bytes(found, 'big'):040}"
    return words, [digits[place : place + 5] for place in range(0, 40, 5)]


def _words(theme: Theme) -> None:
    digest = octets("a digest")
    words, digits = words_of(digest)
    theme.valid("words", "words", "11.2", {"digest": digest}, {"words": words, "digits": digits})
    beginnings = " ".join(word[:4] for word in words)
    for name, heard in (("words", " ".join(words)), ("four_letters", beginnings.upper()), ("digits", "".join(digits))):
        theme.valid(f"heard_{name}", "heard", "11.2", {"digest": digest, "heard": heard})
    others, other_digits = words_of(octets("another digest"))
    wrong = next(word for word in word_list() if words_of_checksum([word, *words[1:]]))
    for name, said, kind in (
        ("heard_another_digest", " ".join(others), "policy"),
        ("heard_the_digits_of_another_digest", " ".join(other_digits), "policy"),
        ("heard_eleven_words", " ".join(words[:-1]), "input"),
        ("heard_a_word_that_is_none", " ".join(["tepih", *words[1:]]), "input"),
        ("heard_a_word_otherwise", " ".join([wrong, *words[1:]]), "input"),
        ("heard_three_letters_of_a_word", " ".join([words[0][:3], *words[1:]]), "input"),
        ("heard_39_digits", "".join(digits)[:-1], "input"),
    ):
        theme.invalid(name, "heard", "11.2", {"digest": digest, "heard": said}, kind)


def words_of_checksum(words: list[str]) -> bool:
    """Return whether the checksum of twelve words is wrong."""
    value = 0
    for word in words:
        value = value << 11 | word_list().index(word)
    return hashlib.sha256((value >> 4).to_bytes(16, "big")).digest()[0] >> 4 != value & 15


def invitation(**changes: Any) -> dict[str, Any]:
    content = {
        "invitation_id": octets("invitation", 16).hex(),
        "party": "SI",
        "name": "Slovenija",
        "matcher_key": public("the matcher"),
        "url": URL,
        "ca": None,
        "expires_at": NOW + 100,
    }
    return content | changes


def _joining(theme: Theme) -> None:
    invited = signed(Invitation, invitation(), "the matcher")
    theme.valid("invitation", "invitation", "11.3", {"envelope": invited, "now": NOW})
    hidden = signed(Invitation, invitation(name="Slove\u200bnija"), "the matcher")
    for name, said, now, kind in (
        ("invitation_under_another_key", signed(Invitation, invitation(), "a stranger"), NOW, "input"),
        ("invitation_with_a_hidden_letter", hidden, NOW, "input"),
        (
            "invitation_with_a_path_in_its_address",
            signed(Invitation, invitation(url=URL + "/v1"), "the matcher"),
            NOW,
            "input",
        ),
        ("invitation_after_its_time", invited, NOW + 101, "policy"),
    ):
        theme.invalid(name, "invitation", "11.3", {"envelope": said, "now": now}, kind)
    content = {"party": "SI", "name": "Slovenija", "identity_key": public("SI"), "invitation": invited}
    request = signed(JoinRequest, content, "SI")
    given = {"matcher": SEEDS["the matcher"], "now": NOW}
    theme.valid("request", "request", "11.4", given | {"envelope": request})
    by_another = signed(Invitation, invitation(matcher_key=public("a stranger")), "a stranger")
    for name, changes, by, kind in (
        ("request_under_another_key", {}, "RS", "input"),
        ("request_for_another_party", {"party": "RS"}, "SI", "policy"),
        ("request_under_another_name", {"name": "Slovenia"}, "SI", "policy"),
        ("request_that_answers_another_matcher", {"invitation": by_another}, "SI", "policy"),
        ("request_with_a_changed_invitation", {"invitation": invited.replace('"sig":"', '"sig":"A', 1)}, "SI", "input"),
    ):
        said = signed(JoinRequest, content | changes, by)
        theme.invalid(name, "request", "11.4", given | {"envelope": said}, kind)
    theme.invalid(
        "request_after_the_invitation", "request", "11.4", {**given, "envelope": request, "now": NOW + 101}, "policy"
    )


def entry(party: str, key: str | None = None, **more: Any) -> dict[str, Any]:
    return {"party": party, "name": party, "identity_key": public(key or party), "left": False} | more


def statement(number: int, previous: str | None, *parties: dict[str, Any], **changes: Any) -> dict[str, Any]:
    content = {
        "number": number,
        "previous": previous,
        "made_at": NOW + number,
        "matcher_key": public("the matcher"),
        "url": URL,
        "ca": None,
        "parties": list(parties),
    }
    return content | changes


def digest_of(content: dict[str, Any]) -> str:
    return hashlib.sha256(definition.pre_authentication(RegistryStatement.payload_type, canonical(content))).hexdigest()


def renewal(by: str = "SI, renewed", former: str = "SI", handover_by: str | None = "SI", party: str = "SI") -> str:
    keys = {"party": party, "former_key": public(former), "identity_key": public("SI, renewed")}
    handover = None if handover_by is None else signed(KeyHandover, keys, handover_by)
    return signed(KeyRenewal, keys | {"handover": handover}, by)


def _template() -> dict[str, Any]:
    return {
        "template_id": "foreign-fighters",
        "version": 1,
        "title": "Foreign fighters",
        "mode": "lists",
        "area": "counter-terrorism",
        "legal_basis": "Article 7",
        "purpose": "find them",
        "category": "foreign fighters",
        "rules": "default",
        "minimum_certainty": "low",
        "frequency_limit": 8,
        "retention_days": 1_095,
        "pairs": [["AL", "SI"], ["RS", "SI"]],
        "records": 2_000,
        "queries": 0,
        "days": {"consent": 7, "submit": 7, "evaluate": 7, "close": 14, "hour": 16},
        "wordings": [
            {
                "language": "sq",
                "title": "Luftëtarë të huaj",
                "area": "lufta kundër terrorizmit",
                "legal_basis": "neni 7",
                "purpose": "të gjenden",
                "category": "luftëtarë të huaj",
            }
        ],
    }


def _statements(theme: Theme) -> None:
    first = statement(1, None, entry("SI"))
    second = statement(2, digest_of(first), entry("RS"), entry("SI"))
    third = statement(3, digest_of(second), entry("RS", left=True), entry("SI", "SI, renewed", renewals=[renewal()]))

    def said(*contents: dict[str, Any], by: str = "the matcher") -> dict[str, Any]:
        return {"envelopes": [signed(RegistryStatement, one, by) for one in contents], "matcher": SEEDS["the matcher"]}

    theme.valid("statements", "statements", "11.5", said(first, second, third))
    twin = statement(2, digest_of(first), entry("SI"))
    false_key = statement(2, digest_of(first), entry("SI", "a stranger"))
    back = statement(4, digest_of(third), entry("RS"), entry("SI", "SI, renewed", renewals=[renewal()]))
    for name, contents, kind in (
        ("statement_is_missing", (first, third), "order"),
        ("two_statements_of_one_number", (first, second, twin), "equivocation"),
        ("statement_that_names_another_before_it", (first, statement(2, "0" * 64, entry("SI"))), "equivocation"),
        ("statement_that_drops_a_party", (second, statement(3, digest_of(second), entry("SI"))), "policy"),
        ("statement_with_another_key_of_a_party", (first, false_key), "policy"),
        ("statement_in_which_a_party_is_back", (third, back), "policy"),
        ("statement_with_a_key_twice", (statement(1, None, entry("RS", "SI"), entry("SI")),), "malformed"),
        ("statement_with_parties_out_of_order", (statement(1, None, entry("SI"), entry("RS")),), "malformed"),
        ("first_statement_with_one_before_it", (statement(1, "0" * 64, entry("SI")),), "malformed"),
    ):
        theme.invalid(name, "statements", "11.5", said(*contents), kind)
    contact = {"contact": "desk@police.example"}
    theme.valid("statement_with_a_contact", "statements", "11.5", said(statement(1, None, entry("SI", **contact))))
    contact = {"contact": "desk at police"}
    broken = said(statement(1, None, entry("SI", **contact)))
    theme.invalid("statement_with_a_contact_that_is_no_address", "statements", "11.5", broken, "malformed")
    template = _template()
    with_templates = statement(2, digest_of(first), entry("SI"), templates=[template, template | {"version": 2}])
    theme.valid("statement_with_templates", "statements", "11.10", said(first, with_templates))
    for name, templates in (
        ("statement_with_templates_out_of_order", [template | {"version": 2}, template]),
        ("statement_with_a_template_twice", [template, template | {"title": "Other"}]),
        ("statement_with_a_template_without_a_purpose", [{k: v for k, v in template.items() if k != "purpose"}]),
        ("statement_with_a_template_with_pairs_out_of_order", [template | {"pairs": [["RS", "SI"], ["AL", "SI"]]}]),
    ):
        content = statement(2, digest_of(first), entry("SI"), templates=templates)
        theme.invalid(name, "statements", "11.10", said(first, content), "malformed")
    theme.invalid("statement_of_a_party", "statements", "11.5", said(first, by="SI"), "signature")
    broken = statement(2, digest_of(first), entry("SI", "SI, renewed", renewals=[renewal(handover_by="RS")]))
    theme.invalid("statement_with_a_renewal_by_another_key", "statements", "11.9", said(first, broken), "signature")
    in_force = {"matcher": SEEDS["the matcher"], "SI": SEEDS["SI"]}
    given = {"envelope": said(second)["envelopes"][0], "in_force": in_force, "party": "SI", "seed": SEEDS["SI"]}
    theme.valid("acceptable", "acceptable", "11.6", given)
    elsewhere = given | {"party": "RS", "seed": SEEDS["a stranger"]}
    theme.invalid("not_acceptable_without_the_own_key", "acceptable", "11.6", elsewhere, "policy")
    dropped = given | {"in_force": in_force | {"XX": SEEDS["a stranger"]}}
    theme.invalid("not_acceptable_without_a_party_in_force", "acceptable", "11.6", dropped, "policy")
    taken = {"party": "SI", "number": 2, "statement": digest_of(second), "accepted_at": NOW + 9}
    given = {"envelope": signed(RegistryAcceptance, taken, "SI"), "in_force": in_force | {"RS": SEEDS["RS"]}}
    theme.valid("acceptance", "acceptance", "11.7", given)
    by_another = given | {"envelope": signed(RegistryAcceptance, taken, "RS")}
    theme.invalid("acceptance_of_another_party", "acceptance", "11.7", by_another, "malformed")
    by_a_stranger = given | {"envelope": signed(RegistryAcceptance, taken, "a stranger")}
    theme.invalid("acceptance_of_a_stranger", "acceptance", "11.7", by_a_stranger, "signature")


def _renewals(theme: Theme) -> None:
    given = {"envelope": renewal(), "registered": SEEDS["SI"], "revoked": False}
    theme.valid("renewal", "renewal", "11.9", given)
    theme.valid(
        "renewal_of_a_revoked_key", "renewal", "11.9", given | {"envelope": renewal(handover_by=None), "revoked": True}
    )
    for name, changes, kind in (
        ("renewal_without_a_handover", {"envelope": renewal(handover_by=None)}, "policy"),
        ("renewal_signed_by_a_revoked_key", {"revoked": True}, "policy"),
        ("renewal_of_another_key", {"registered": SEEDS["RS"]}, "policy"),
        ("renewal_with_a_handover_by_another_key", {"envelope": renewal(handover_by="RS")}, "signature"),
        ("renewal_signed_by_the_former_key", {"envelope": renewal(by="SI")}, "input"),
    ):
        theme.invalid(name, "renewal", "11.9", given | changes, kind)
