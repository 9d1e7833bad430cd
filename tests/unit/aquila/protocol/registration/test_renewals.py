"""Renewals of identity keys: signed by both keys, or by the new one alone, and then said so."""

import pytest

from aquila.crypto.envelope import sign_envelope
from aquila.crypto.keys import VerifyKey
from aquila.errors import AquilaError, InputError, PolicyError, SignatureError
from aquila.protocol.registration.self_signed import (
    KeyHandover,
    KeyRenewal,
    check_renewal,
    open_renewal,
    open_renewals,
    open_request,
    sign_file,
    sign_renewal,
)
from tests.support.registering import key_of

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
