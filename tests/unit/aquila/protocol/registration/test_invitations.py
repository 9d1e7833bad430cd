"""Invitations and requests to join: whole files, for one party and one matcher."""

import base64
import json

import pytest
from pydantic import ValidationError

from aquila.errors import InputError, PolicyError
from aquila.protocol.registration.self_signed import (
    LARGEST_FILE,
    accepted_invitation,
    check_time,
    open_invitation,
    open_request,
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
