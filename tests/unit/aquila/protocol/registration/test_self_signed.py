"""Invitations and requests to join: whole files, for one party and one matcher.

Renewals of identity keys: signed by both keys, or by the new one alone, and then said so.
"""

import base64
import json

import pytest
from pydantic import ValidationError

from aquila.crypto.envelope import sign_envelope
from aquila.crypto.keys import VerifyKey
from aquila.errors import AquilaError, InputError, PolicyError, SignatureError
from aquila.protocol.registration.self_signed import (
    LARGEST_FILE,
    KeyHandover,
    KeyRenewal,
    accepted_invitation,
    check_renewal,
    check_time,
    open_invitation,
    open_renewal,
    open_renewals,
    open_request,
    sign_file,
    sign_renewal,
)
from tests.support.registering import MATCHER_KEY, NOW, URL, invitation, key_of, registry_of, request, stated


def test_an_invitation_is_read_as_it_was_written() -> None:
    opened = open_invitation(b"\n" + invitation() + b"\r\n")
    assert (opened.message.party, opened.message.url, opened.key) == ("SI", URL, MATCHER_KEY.public)


def test_a_request_carries_the_invitation_that_it_answers() -> None:
    opened = open_request(request(invitation()))
    assert opened.key == key_of("SI").public
    assert accepted_invitation(opened.message, MATCHER_KEY.public, NOW).invitation_id == "ab" * 16


def _changed(content: bytes, old: str, new: str) -> bytes:
    """Return a file with other words in its payload, under the same signature."""
    envelope = json.loads(content)
    payload = base64.b64decode(envelope["payload"]).decode()
    assert old in payload
    envelope["payload"] = base64.b64encode(payload.replace(old, new).encode()).decode()
    return json.dumps(envelope, separators=(",", ":"), sort_keys=True).encode()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_changed_or_foreign"),
        (b"[matcher]\nidentity_key = 3", "file_changed_or_foreign"),
        (b"x" * (2 * LARGEST_FILE), "file_changed_or_foreign"),
        (_changed(invitation(), URL, "https://false.example.org"), "file_changed_or_foreign"),
        (_changed(invitation(), "Party SI", "Party RS"), "file_changed_or_foreign"),
        (request(invitation()), "file_of_another_kind"),
        (stated(registry_of("SI")).envelope, "file_of_another_kind"),
    ],
)
def test_another_or_a_changed_file_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        open_invitation(content)
    assert caught.value.sentence.code == code


def test_a_request_under_another_key_than_it_names_is_refused() -> None:
    with pytest.raises(InputError):
        open_request(request(invitation(), identity_key=key_of("RS").public.hex))


@pytest.mark.parametrize(
    ("asked", "now", "code"),
    [
        (request(invitation(signer=key_of("false"))), NOW, "invitation_of_another_matcher"),
        (request(invitation("RS")), NOW, "invitation_of_another_party"),
        (request(invitation(), name="Another name"), NOW, "invitation_of_another_party"),
        (request(invitation()), NOW + 101, "invitation_expired"),
    ],
)
def test_a_request_that_answers_no_invitation_of_this_matcher_is_refused(asked: bytes, now: int, code: str) -> None:
    """One of a false matcher, one that was made for another party, and an old one."""
    with pytest.raises(PolicyError) as caught:
        accepted_invitation(open_request(asked).message, MATCHER_KEY.public, now)
    assert caught.value.sentence.code == code


def test_a_request_with_a_broken_invitation_is_refused() -> None:
    with pytest.raises(InputError):
        accepted_invitation(open_request(request(b"{}")).message, MATCHER_KEY.public, NOW)


def test_an_invitation_counts_until_its_time_is_over() -> None:
    message = open_invitation(invitation()).message
    check_time(message, NOW + 100)
    with pytest.raises(PolicyError):
        check_time(message, NOW + 101)


@pytest.mark.parametrize("url", ["ftp://host", "https://", "https://host/path", "https://a@host", "https://host?q"])
def test_an_address_is_an_origin(url: str) -> None:
    with pytest.raises(ValidationError):
        invitation(url=url)


def test_another_change_of_a_request_gives_other_words() -> None:
    """The digest that is read aloud covers the key and the whole invitation, its address and CA too."""
    asked = [
        request(invitation()),
        request(invitation(), key=key_of("another")),
        request(invitation(url="https://false.example.org")),
        request(invitation(ca=None)),
    ]
    assert len({open_request(one).digest for one in asked}) == len(asked)


OLD, NEW, NEWER, FALSE = (key_of(name) for name in ("SI", "SI new", "SI newer", "false"))
FIELDS = {"party": "SI", "former_key": OLD.public.hex, "identity_key": NEW.public.hex}


def handover(signer: object = OLD, **changes: str) -> str:
    message = KeyHandover.model_validate(FIELDS | changes)
    return sign_envelope(message.payload_type, message.payload(), signer).decode()  # type: ignore[arg-type]  # a key


def renewal(given: str | None, signer: object = NEW, **changes: str) -> bytes:
    return sign_file(KeyRenewal.model_validate({**FIELDS, **changes, "handover": given}), signer)  # type: ignore[arg-type]  # a key


def test_a_renewal_is_signed_by_both_keys() -> None:
    """It comes back as it was made; the replaced key's public half alone makes a revocation."""
    opened = open_renewal(sign_renewal("SI", NEW, OLD))
    assert (opened.party, opened.former, opened.key, opened.by_both) == ("SI", OLD.public, NEW.public, True)
    assert not open_renewal(sign_renewal("SI", NEW, OLD.public)).by_both


@pytest.mark.parametrize(
    "given", [handover(FALSE), handover(NEW), handover(party="RS"), handover(identity_key=FALSE.public.hex), "{}"]
)
def test_a_handover_that_the_old_key_did_not_sign(given: str) -> None:
    with pytest.raises(SignatureError) as caught:
        open_renewal(renewal(given))
    assert caught.value.sentence.code == "key_handover_not_by_former_key"


def test_the_old_key_alone_renews_nothing() -> None:
    """The new key signs the file, or it is refused as changed; an old key of small order is none."""
    with pytest.raises(InputError):
        open_renewal(renewal(handover(), OLD))
    with pytest.raises(InputError) as caught:
        open_renewal(renewal(None, former_key="00" * 32))
    assert caught.value.sentence.code == "key_renewal_key_malformed"
    with pytest.raises(InputError) as caught:
        open_request(sign_renewal("SI", NEW, OLD))
    assert caught.value.sentence.code == "file_of_another_kind"


def test_renewals_lead_to_the_present_key() -> None:
    first, second = sign_renewal("SI", NEW, OLD).decode(), sign_renewal("SI", NEWER, NEW).decode()
    assert [one.former for one in open_renewals("SI", NEWER.public, [first, second])] == [OLD.public, NEW.public]
    assert open_renewals("SI", OLD.public, []) == ()
    for party, key, envelopes in (
        ("SI", NEW, [first, second]),
        ("SI", NEWER, [second, first]),
        ("SI", NEWER, [first]),
        ("RS", NEW, [first]),
        ("SI", NEW, ["{}"]),
    ):
        with pytest.raises(SignatureError) as caught:
            open_renewals(party, key.public, envelopes)
        assert caught.value.sentence.code == "key_renewal_broken"


@pytest.mark.parametrize(
    ("by_both", "pinned", "code"),
    [
        (True, FALSE.public, "key_renewal_of_another_key"),
        (False, OLD.public, "key_renewal_without_former_key"),
        (True, OLD.public, "key_renewal_signed_by_revoked_key"),
    ],
)
def test_a_renewal_is_what_the_secretariat_expects(*, by_both: bool, pinned: VerifyKey, code: str) -> None:
    opened = open_renewal(sign_renewal("SI", NEW, OLD if by_both else OLD.public))
    with pytest.raises(PolicyError) as caught:
        check_renewal(opened, pinned, revoked=code == "key_renewal_signed_by_revoked_key")
    assert caught.value.sentence.code == code
    check_renewal(opened, OLD.public, revoked=not by_both)


def test_a_changed_byte_is_noticed() -> None:
    content = sign_renewal("SI", NEW, OLD)
    for place in range(0, len(content) - 1, 7):
        changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        with pytest.raises(AquilaError):
            open_renewal(changed)
