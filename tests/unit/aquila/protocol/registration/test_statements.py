"""Statements on the registry: their order, what a party may accept, and acceptances."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from aquila.crypto.keys import IdentityKey, VerifyKey
from aquila.errors import AquilaError, EquivocationError, MalformedError, OrderError, PolicyError, SignatureError
from aquila.protocol.registration.self_signed import open_renewal, sign_renewal
from aquila.protocol.registration.statements import (
    KeyChange,
    RegistryAcceptance,
    RegistryStatement,
    SignedStatement,
    check_acceptable,
    check_order,
    differences,
    key_changes,
    next_statement,
    open_acceptance,
    open_statement,
    sign_statement,
)
from aquila.protocol.registry import MATCHER, RegisteredParty, Registry
from tests.support.registering import CA, MATCHER_KEY, NOW, URL, key_of, registry_of, stated

FIRST = stated(registry_of("SI"))
SECOND = stated(registry_of("RS", "SI"), FIRST)
THIRD = stated(registry_of("RS", "SI", left=("RS",)), SECOND)


def test_a_statement_states_the_whole_registry() -> None:
    assert SECOND.message.registry() == registry_of("RS", "SI")
    assert (SECOND.message.number, SECOND.message.previous) == (2, FIRST.digest)
    assert (THIRD.message.url, THIRD.message.ca) == (URL, CA)
    check_order([FIRST, SECOND, THIRD])


def test_contacts_stay_until_others_are_stated() -> None:
    """A party that has left is reminded of nothing."""
    entries = [one.model_copy(update={"contact": f"desk@{one.party}.example"}) for one in SECOND.message.parties]
    message = RegistryStatement.of_fields(SECOND.message, parties=tuple(entries))
    named = open_statement(sign_statement(message, MATCHER_KEY), MATCHER_KEY.public)
    assert named.message.contacts() == {"RS": "desk@RS.example", "SI": "desk@SI.example"}
    third = stated(registry_of("RS", "SI", left=("RS",)), named)
    assert third.message.contacts() == {"SI": "desk@SI.example"}
    assert third.message.parties[0].contact == "desk@RS.example"


def _replaced(registry: Registry, code: str) -> Registry:
    party = RegisteredParty(code, f"Party {code}", key_of("false").public)
    return Registry(registry.matcher, {**registry.parties, code: party})


@pytest.mark.parametrize(
    ("newer", "code"),
    [
        (registry_of("RS", left=("RS",)), "registry_lacks_party"),
        (_replaced(registry_of("RS", "SI", left=("RS",)), "SI"), "registry_replaces_key"),
        (Registry(key_of("false").public, registry_of("RS", "SI").parties), "registry_replaces_key"),
        (registry_of("RS", "SI"), "registry_party_returns"),
    ],
)
def test_no_key_is_replaced_and_no_party_dropped(newer: Registry, code: str) -> None:
    before = registry_of("RS", "SI", left=("RS",))
    with pytest.raises(PolicyError) as caught:
        next_statement(newer, THIRD, NOW, URL, None)
    assert caught.value.sentence.code == code
    with pytest.raises(PolicyError):
        before.adopt(newer)
    assert before == registry_of("RS", "SI", left=("RS",))


def _other(number: int, previous: SignedStatement | None, *codes: str) -> SignedStatement:
    message = next_statement(registry_of(*codes), previous, NOW + 1, URL, CA)
    assert message.number == number
    return open_statement(sign_statement(message, MATCHER_KEY), MATCHER_KEY.public)


def test_two_registries_of_one_number_are_an_equivocation() -> None:
    other = _other(2, FIRST, "HR", "SI")
    after_other = _other(3, other, "HR", "MK", "SI")
    for found in ([FIRST, SECOND, other], [FIRST, SECOND, after_other]):
        with pytest.raises(EquivocationError):
            check_order(found)


def test_a_missing_statement_is_noticed() -> None:
    with pytest.raises(OrderError):
        check_order([FIRST, THIRD])


def test_a_statement_that_drops_a_party_breaks_the_chain() -> None:
    content = THIRD.message.model_copy(update={"parties": SECOND.message.parties[:1]})
    forged = open_statement(sign_statement(content, MATCHER_KEY), MATCHER_KEY.public)
    with pytest.raises(PolicyError):
        check_order([SECOND, forged])


def test_a_party_accepts_what_continues_its_registry_and_names_its_key() -> None:
    """Otherwise the secretariat has admitted somebody else in its place."""
    own = key_of("RS").public
    assert check_acceptable(SECOND, registry_of("RS"), "RS", own) == registry_of("RS", "SI")
    for statement, code, key in ((FIRST, "RS", own), (SECOND, "SI", own), (SECOND, "RS", key_of("false").public)):
        with pytest.raises(PolicyError) as caught:
            check_acceptable(statement, registry_of(), code, key)
        assert caught.value.sentence.code == "registry_without_own_key"
    with pytest.raises(PolicyError) as caught:
        check_acceptable(SECOND, registry_of("HR", "RS"), "RS", own)
    assert caught.value.sentence.code == "registry_lacks_party"


def test_only_the_pinned_matcher_states_the_registry() -> None:
    with pytest.raises(SignatureError):
        open_statement(FIRST.envelope, key_of("false").public)
    forged = sign_statement(FIRST.message.model_copy(update={"matcher_key": key_of("false").public.hex}), MATCHER_KEY)
    with pytest.raises(MalformedError):
        open_statement(forged, MATCHER_KEY.public)


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 2},
        {"previous": "ab" * 32},
        {"parties": SECOND.message.model_dump()["parties"][::-1]},
        {"parties": [{**SECOND.message.model_dump()["parties"][0], "identity_key": MATCHER_KEY.public.hex}]},
    ],
)
def test_a_statement_that_contradicts_itself_is_refused(changes: dict[str, Any]) -> None:
    """A first one with another before it, parties out of order, or a key that occurs twice."""
    with pytest.raises(ValidationError):
        RegistryStatement.model_validate(FIRST.message.model_dump() | changes)


def _accepted(party: str, signer: str) -> bytes:
    message = RegistryAcceptance(party=party, number=2, statement=SECOND.digest, accepted_at=NOW)
    return sign_statement(message, key_of(signer))


def test_an_acceptance_is_the_partys_own() -> None:
    registry = registry_of("RS", "SI")
    assert open_acceptance(_accepted("RS", "RS"), registry).statement == SECOND.digest
    for party, signer in (("RS", "SI"), ("RS", "false")):
        with pytest.raises(AquilaError):
            open_acceptance(_accepted(party, signer), registry)


def test_differences_are_parties_that_join_and_leave() -> None:
    before, after = registry_of("RS", "SI"), registry_of("AL", "MK", "RS", "SI", left=("SI",))
    assert differences(before, after) == (("AL", "MK"), ("SI",))
    assert differences(after, after) == ((), ())


NEW, NEWER = key_of("SI new"), key_of("SI newer")


def _renewed(name: str, former: IdentityKey | VerifyKey, before: SignedStatement) -> SignedStatement:
    renewal = open_renewal(sign_renewal("SI", key_of(name), former))
    registry = before.message.registry()
    party = replace(registry.parties["SI"], key=renewal.key)
    former_keys = {**registry.former, "SI": registry.keys_of("SI")}
    newer = Registry(registry.matcher, {**registry.parties, "SI": party}, former_keys)
    message = next_statement(newer, before, NOW, URL, CA, renewal)
    return open_statement(sign_statement(message, MATCHER_KEY), MATCHER_KEY.public)


def test_a_statement_replaces_a_key_with_its_renewals() -> None:
    """It continues the one before; the party itself accepts it with the key that waits."""
    after = _renewed("SI new", key_of("SI"), SECOND)
    check_order([SECOND, after])
    registry = after.message.registry()
    assert registry.keys_of("SI") == (key_of("SI").public, NEW.public)
    assert check_acceptable(after, registry_of("RS", "SI"), "SI", key_of("SI").public, NEW.public) == registry
    with pytest.raises(PolicyError) as caught:
        check_acceptable(after, registry_of("RS", "SI"), "SI", key_of("SI").public)
    assert caught.value.sentence.code == "registry_without_own_key"
    # One that follows keeps the renewals.
    again = open_statement(
        sign_statement(next_statement(registry, after, NOW, URL, CA), MATCHER_KEY), MATCHER_KEY.public
    )
    assert again.message.registry() == registry


def test_key_changes_say_whether_the_old_key_signed() -> None:
    """For all steps from the key that is in force here; a party that joins has changed nothing here."""
    before = registry_of("RS", "SI")
    once = _renewed("SI new", key_of("SI"), SECOND)
    twice = _renewed("SI newer", NEW.public, once)
    assert key_changes(before, SECOND.message) == ()
    assert key_changes(before, once.message) == (KeyChange("SI", by_both=True),)
    assert key_changes(before, twice.message) == (KeyChange("SI", by_both=False),)
    assert key_changes(once.message.registry(), twice.message) == (KeyChange("SI", by_both=False),)
    assert key_changes(twice.message.registry(), twice.message) == ()
    assert key_changes(registry_of("RS"), twice.message) == ()


def test_a_matcher_replaces_no_key_by_itself() -> None:
    """Renewals that were left out, made by the matcher, or that lead elsewhere."""
    after = _renewed("SI new", key_of("SI"), SECOND).message
    entries = list(after.parties)
    for entry in (
        entries[1].model_copy(update={"identity_key": key_of("false").public.hex}),
        entries[1].model_copy(update={"renewals": (sign_renewal("RS", NEW, key_of("SI")).decode(),)}),
    ):
        forged = sign_statement(after.model_copy(update={"parties": (entries[0], entry)}), MATCHER_KEY)
        with pytest.raises(SignatureError) as caught:
            open_statement(forged, MATCHER_KEY.public)
        assert caught.value.sentence.code == "key_renewal_broken"
    bare = entries[1].model_copy(update={"renewals": None})
    forged = sign_statement(after.model_copy(update={"parties": (entries[0], bare)}), MATCHER_KEY)
    with pytest.raises(PolicyError) as refused:
        check_order([SECOND, open_statement(forged, MATCHER_KEY.public)])
    assert refused.value.sentence.code == "registry_replaces_key"
    # A key that RS has, or had, is not SI's.
    taken = entries[0].model_copy(
        update={
            "identity_key": key_of("x").public.hex,
            "renewals": (sign_renewal("RS", key_of("x"), NEW.public).decode(),),
        }
    )
    forged = sign_statement(after.model_copy(update={"parties": (taken, entries[1])}), MATCHER_KEY)
    with pytest.raises(MalformedError):
        open_statement(forged, MATCHER_KEY.public)


def test_a_replaced_key_accepts_nothing_new() -> None:
    registry = _renewed("SI new", key_of("SI"), SECOND).message.registry()
    assert open_acceptance(_accepted("SI", "SI"), registry, 3).number == 2
    assert open_acceptance(_accepted("SI", "SI new"), registry, 2).number == 2
    with pytest.raises(SignatureError) as caught:
        open_acceptance(_accepted("SI", "SI"), registry, 2)
    assert caught.value.sentence.code == "statement_by_replaced_key"


MATCHER_NEW = key_of("matcher new")


def _by_new_matcher(former: IdentityKey | VerifyKey = MATCHER_KEY, signer: IdentityKey = MATCHER_NEW) -> bytes:
    renewal = open_renewal(sign_renewal(MATCHER, MATCHER_NEW, former))
    registry = SECOND.message.registry()
    newer = Registry(MATCHER_NEW.public, registry.parties, {MATCHER: (MATCHER_KEY.public,)})
    return sign_statement(next_statement(newer, SECOND, NOW, URL, CA, renewal), signer)


def test_the_matcher_replaces_its_key() -> None:
    """Who pins the old key opens what the new one signed; who joined later pins the new one, and learns the old one."""
    after = open_statement(_by_new_matcher(), MATCHER_KEY.public)
    check_order([SECOND, after])
    registry = after.message.registry()
    assert registry.keys_of(MATCHER) == (MATCHER_KEY.public, MATCHER_NEW.public)
    assert key_changes(SECOND.message.registry(), after.message) == (KeyChange(MATCHER, by_both=True),)
    assert open_statement(SECOND.envelope, *registry.keys_of(MATCHER)) == SECOND
    later = Registry(MATCHER_NEW.public, registry_of("RS").parties)
    assert check_acceptable(after, later, "RS", key_of("RS").public) == registry
    assert key_changes(later, after.message) == ()
    # What follows keeps the renewals.
    again = next_statement(registry, after, NOW, URL, CA)
    assert open_statement(sign_statement(again, MATCHER_NEW), MATCHER_KEY.public).message.registry() == registry


def test_nobody_else_replaces_the_matchers_key() -> None:
    with pytest.raises(SignatureError) as caught:
        open_statement(_by_new_matcher(), key_of("false").public)
    assert caught.value.sentence.code == "envelope_key_unknown"
    with pytest.raises(MalformedError):
        open_statement(_by_new_matcher(signer=MATCHER_KEY), MATCHER_KEY.public)
    content = open_statement(_by_new_matcher(), MATCHER_KEY.public).message
    bare = sign_statement(content.model_copy(update={"matcher_renewals": None}), MATCHER_NEW)
    with pytest.raises(SignatureError):
        open_statement(bare, MATCHER_KEY.public)
    revoked = open_statement(_by_new_matcher(MATCHER_KEY.public), MATCHER_KEY.public)
    assert key_changes(SECOND.message.registry(), revoked.message) == (KeyChange(MATCHER, by_both=False),)
