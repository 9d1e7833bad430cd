"""A home's own CA: a certificate that callers accept for the service's names alone, and its renewal."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from aquila.errors import KeyMaterialError
from services.kit.http.certificates import (
    CA_DAYS,
    CERTIFICATE_DAYS,
    OwnCertificates,
    issue,
    make_ca,
    prepare_ca,
    take_prepared,
)


@pytest.fixture
def made(tmp_path: Path) -> OwnCertificates:
    files = OwnCertificates(tmp_path / "tls")
    make_ca(files, "the matcher")
    issue(files, "matcher.example.org")
    return files


def _verified(files: OwnCertificates, host: str) -> bool:
    """Return whether a certificate is one of its CA for a host, by the library's own rules."""
    ca, leaf = (x509.load_pem_x509_certificate(path.read_bytes()) for path in (files.ca, files.certificate))
    verifier = PolicyBuilder().store(Store([ca])).build_server_verifier(x509.DNSName(host))
    try:
        verifier.verify(leaf, [])
    except VerificationError:
        return False
    return True


def test_callers_accept_the_certificate_for_its_names(made: OwnCertificates) -> None:
    assert _verified(made, "matcher.example.org")
    assert _verified(made, "localhost")
    assert not _verified(made, "false.example.org")


def test_files_are_private_and_fit_together(made: OwnCertificates) -> None:
    """Nobody else on the machine can read a key, and the system's TLS takes certificate and key."""
    assert {path.name: path.stat().st_mode & 0o777 for path in made.folder.iterdir()} == dict.fromkeys(
        ["ca.key", "ca.pem", "service.key", "service.pem"], 0o600
    )
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(made.certificate, made.key)


def test_a_renewed_certificate_is_of_the_same_ca(made: OwnCertificates) -> None:
    """Another key and another number under the CA that callers trust already."""
    before = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    until = issue(made, "matcher.example.org")
    after = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    assert (after.serial_number != before.serial_number, after.public_key() != before.public_key()) == (True, True)
    assert _verified(made, "matcher.example.org")
    assert until == after.not_valid_after_utc
    ca = x509.load_pem_x509_certificate(made.ca.read_bytes())
    assert (after.not_valid_after_utc - after.not_valid_before_utc).days == CERTIFICATE_DAYS + 1
    assert (ca.not_valid_after_utc - ca.not_valid_before_utc).days == CA_DAYS + 1


def test_another_ca_changes_nothing_before_it_is_taken(made: OwnCertificates) -> None:
    """The service shows its certificate while those who call it learn to trust the new CA, which has the same name."""
    before = {path: path.read_bytes() for path in made.folder.iterdir()}
    prepare_ca(made, "matcher.example.org")
    prepared = prepare_ca(made, "matcher.example.org")  # after a crash, for example
    assert {path: path.read_bytes() for path in made.folder.iterdir() if path.is_file()} == before
    ca = prepared.ca.read_bytes()
    until = take_prepared(made, prepared)
    old, new = (x509.load_pem_x509_certificate(one) for one in (before[made.ca], ca))
    assert made.ca.read_bytes() == ca
    assert (new.subject, new.public_key() != old.public_key()) == (old.subject, True)
    assert _verified(made, "matcher.example.org")
    assert until == x509.load_pem_x509_certificate(made.certificate.read_bytes()).not_valid_after_utc
    assert {path.name for path in made.folder.iterdir()} == {path.name for path in before}
    issue(made, "matcher.example.org")
    assert _verified(made, "matcher.example.org")
    made.ca.write_bytes(before[made.ca])
    assert not _verified(made, "matcher.example.org")


def test_an_address_is_a_name_too(tmp_path: Path) -> None:
    files = OwnCertificates(tmp_path)
    make_ca(files, "SI")
    issue(files, "192.0.2.7")
    names = x509.load_pem_x509_certificate(files.certificate.read_bytes()).extensions
    found = names.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.IPAddress)
    assert "192.0.2.7" in map(str, found)


@pytest.mark.parametrize("spoiled", ["ca.key", "ca.pem", "another kind of key", "another CA"])
def test_a_folder_without_a_ca_is_refused(made: OwnCertificates, spoiled: str) -> None:
    if spoiled == "another kind of key":
        key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        made.ca_key.write_bytes(key)
    elif spoiled == "another CA":
        other = OwnCertificates(made.folder / "other")
        make_ca(other, "the house")
        other.ca.replace(made.ca)
    else:
        (made.folder / spoiled).write_bytes(b"no PEM")
    with pytest.raises(KeyMaterialError):
        issue(made, "matcher.example.org")
