"""The address of a key in a token is read in one way, and a PIN is refused wherever it is."""

from pathlib import Path

import pytest

from aquila.errors import KeyMaterialError
from services.kit.storage.pkcs11 import KeyAddress
from tests.support.soft_tokens import address

WHOLE = "pkcs11:token=Aquila%20SI;object=identity?module-path=/usr/lib/hsm.so&pin-source=file:/etc/aquila/token.pin"
FOLDER = Path("/home/of/it")


def code_of(text: str) -> str:
    with pytest.raises(KeyMaterialError) as caught:
        KeyAddress.parse(text, FOLDER)
    assert "zzz" not in str(caught.value) + caught.value.hint + repr(caught.value.sentence)
    return caught.value.sentence.code


def test_what_it_names() -> None:
    """Values are percent-decoded, and blanks around it do not count."""
    uri = KeyAddress.parse(f" {WHOLE}\n", FOLDER)
    assert (uri.token, uri.label, uri.serial, uri.identifier) == ("Aquila SI", "identity", "", b"")
    assert (uri.module, uri.pin) == (Path("/usr/lib/hsm.so"), Path("/etc/aquila/token.pin"))
    assert (uri.text, uri.token_name, uri.key_name) == (WHOLE, "Aquila SI", "identity")


def test_serial_number_and_identifier() -> None:
    """In place of labels, or besides them; a relative file of the PIN counts from the folder of the key's file."""
    uri = KeyAddress.parse("pkcs11:serial=12ab;id=%01%FF;type=private?pin-source=token.pin&module-path=/m.so", FOLDER)
    assert (uri.serial, uri.identifier, uri.pin) == ("12ab", b"\x01\xff", FOLDER / "token.pin")
    assert (uri.token_name, uri.key_name) == ("12ab", "01ff")


def test_an_address_is_written_as_it_is_read() -> None:
    text = address("a;b&c=d?e %Š", "k/1", Path("/lib/m & n.so"), Path("/etc/p;q"))
    uri = KeyAddress.parse(text, FOLDER)
    assert (uri.token, uri.label) == ("a;b&c=d?e %Š", "k/1")
    assert (uri.module, uri.pin) == (Path("/lib/m & n.so"), Path("/etc/p;q"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (WHOLE.removeprefix("pkcs11:"), "token_address_malformed"),
        (WHOLE.replace("pkcs11", "PKCS12"), "token_address_malformed"),
        (WHOLE + "a" * 5_000, "token_address_malformed"),
        (WHOLE.replace("token=", "token=;token="), "token_address_malformed"),
        (WHOLE.replace(";object", ";token=zzz;object"), "token_address_malformed"),
        (WHOLE.replace("%20", "%2"), "token_address_malformed"),
        (WHOLE.replace("%20", " "), "token_address_malformed"),
        (WHOLE.replace("%20", "%FF"), "token_address_malformed"),
        (WHOLE + "&zzz", "token_address_malformed"),
        (WHOLE.replace(";object", ";type=public;object"), "token_address_malformed"),
        (WHOLE.replace("=/usr", "=usr"), "token_address_malformed"),
        (WHOLE.replace("file:/etc", "|/bin/zzz"), "token_address_malformed"),
        (WHOLE.replace("file:/etc", "file://etc"), "token_address_malformed"),
        (WHOLE.replace("file:/etc", "%00"), "token_address_malformed"),
        (WHOLE + "&pin-value=zzz", "token_address_with_pin"),
        (WHOLE.replace(";object", ";pin-value=zzz;object"), "token_address_with_pin"),
        (WHOLE + "&pin-value", "token_address_with_pin"),
        (WHOLE.replace(";object", ";slot-id=1;object"), "token_address_attribute_unknown"),
        (WHOLE + "&module-name=zzz", "token_address_attribute_unknown"),
        (WHOLE.replace("token=Aquila%20SI;", ""), "token_address_incomplete"),
        (WHOLE.replace(";object=identity", ""), "token_address_incomplete"),
        (WHOLE.replace("module-path=/usr/lib/hsm.so&", ""), "token_address_incomplete"),
        (WHOLE.partition("&")[0], "token_address_incomplete"),
        (WHOLE.partition("?")[0], "token_address_incomplete"),
    ],
)
def test_what_is_no_address(text: str, code: str) -> None:
    assert code_of(text) == code
