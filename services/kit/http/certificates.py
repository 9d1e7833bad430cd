"""Certificates: the ends and the fit of those that the settings name, and a service's own small CA.

A service without a CA in the house has one of its own. The CA lies in the home, so whoever has the home can speak as
the service; the service's identity key lies there too. The CA gives certificates to this service alone. Callers trust
it by the invitation or the statement that carries it.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from aquila.errors import AquilaError, KeyMaterialError
from services.kit.http.tls import FileStates, server_context, tls_context
from services.kit.settings import PeerSettings, ServiceSettings
from services.kit.storage.files import read_secret, write_secret


class CertificateFile(NamedTuple):
    """A file of certificates: the setting that names it, its path if it does, and whether it holds CAs."""

    setting: str
    path: Path | None
    authorities: bool = False


class CertificateEnd(NamedTuple):
    """The end of the certificate that a setting names, in seconds since 1970; None if the file cannot be read."""

    setting: str
    ends_at: int | None


class CertificateEnds:
    """Reads the ends of certificates; files are read again when they change. For one thread at a time.

    Attributes:
        faults: Why files do not fit together: what a service or a caller with these files would refuse.
    """

    def __init__(
        self,
        files: Sequence[CertificateFile],
        keys: Sequence[Path | None] = (),
        contexts: Sequence[Callable[[], object]] = (),
    ) -> None:
        """Prepare.

        Args:
            files: The files of certificates.
            keys: The private keys that belong to them.
            contexts: Each makes a context from the files, and raises an error of the tree where it cannot.
        """
        self._ends = {one.setting: partial(_end, one.path, last=one.authorities) for one in files if one.path}
        self._paths = [path for path in (*(one.path for one in files), *keys) if path is not None]
        self._contexts = contexts
        self._states: FileStates | None = None
        self._found: tuple[CertificateEnd, ...] = ()
        self.faults: tuple[AquilaError, ...] = ()

    def current(self) -> tuple[CertificateEnd, ...]:
        states = FileStates.of(self._paths)
        if states != self._states:
            self._states = states
            self._found = tuple(CertificateEnd(setting, end()) for setting, end in self._ends.items())
            self.faults = tuple(_faults(self._contexts))
        return self._found


def certificates_of(settings: ServiceSettings, peer: PeerSettings | None = None) -> CertificateEnds:
    tls, command = settings.tls, settings.command
    found = [
        CertificateFile("dask_certificate_file", settings.dask_certificate_file),
        CertificateFile("dask_ca_file", settings.dask_ca_file, authorities=True),
    ]
    keys, contexts = list[Path | None](), list[Callable[[], object]]()
    if tls is not None:
        found += [
            CertificateFile("tls.certificate", tls.certificate),
            CertificateFile("tls.ca", tls.ca, authorities=True),
        ]
        keys.append(tls.key)
        contexts.append(partial(server_context, tls))
    if peer is not None and peer.url.startswith("https"):
        found += [
            CertificateFile("matcher.certificate", peer.certificate),
            CertificateFile("matcher.ca", peer.ca, authorities=True),
        ]
        keys.append(peer.key)
        contexts.append(partial(tls_context, peer))
    if command is not None:
        found += [
            CertificateFile("command.certificate", command.certificate),
            CertificateFile("command.ca", command.ca, authorities=True),
        ]
    return CertificateEnds(found, keys, contexts)


def _faults(contexts: Sequence[Callable[[], object]]) -> Iterator[AquilaError]:
    for make in contexts:
        try:
            make()
        except AquilaError as error:
            yield error


def _end(path: Path, *, last: bool) -> int | None:
    """Return when the first certificate of a file ends, or when the last of them does; None if it cannot be read."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return None
    ends = [int(one.not_valid_after_utc.timestamp()) for one in found]
    return max(ends) if last else ends[0]


CA_DAYS = 7_300
CERTIFICATE_DAYS = 825
"""Days for which a certificate is valid: the longest that browsers take from a CA of the house."""

_EVERYWHERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class OwnCertificates:
    """The files of a service's own CA, in one folder."""

    folder: Path

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def ca_key(self) -> Path:
        return self.folder / "ca.key"

    @property
    def certificate(self) -> Path:
        return self.folder / "service.pem"

    @property
    def key(self) -> Path:
        return self.folder / "service.key"


def make_ca(files: OwnCertificates, name: str) -> None:
    """Make a CA, which has its owner in its name; raises StoreError if the disk is full or failed."""
    _make_ca(files, _named(f"Aquila CA of {name}"))


def _make_ca(files: OwnCertificates, subject: x509.Name) -> None:
    """Make a CA; raises as `make_ca` does."""
    files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(subject, subject, key.public_key(), CA_DAYS)
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .sign(key, SHA256())
    )
    write_secret(files.ca_key, _pem(key))
    write_secret(files.ca, certificate.public_bytes(Encoding.PEM))


def issue(files: OwnCertificates, host: str) -> dt.datetime:
    """Give the service a new key and certificate for a host name or address, and return until when it is valid.

    Raises:
        KeyMaterialError: There is no CA in the folder, or its key is open to others.
    """
    ca, ca_key = _read_ca(files)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(_named(host), ca.subject, key.public_key(), CERTIFICATE_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([_name(one) for one in (host, *_EVERYWHERE)]), critical=False)
        .sign(ca_key, SHA256())
    )
    # If we crash between the two, the service does not start; the same command mends it.
    write_secret(files.key, _pem(key))
    write_secret(files.certificate, certificate.public_bytes(Encoding.PEM))
    return certificate.not_valid_after_utc


def prepare_ca(files: OwnCertificates, host: str) -> OwnCertificates:
    """Make the CA that takes the place of a service's own one, and its certificate; return their files.

    Those who call the service trust it before, and `take_prepared` puts the files in place. One that was prepared and
    not taken is the same again.

    Raises:
        KeyMaterialError: There is no CA in the folder, or its key is open to others.
    """
    ca, _ = _read_ca(files)
    prepared = OwnCertificates(files.folder / "next")
    if not (prepared.ca.exists() and prepared.ca_key.exists()):
        _make_ca(prepared, ca.subject)
    issue(prepared, host)
    return prepared


def take_prepared(files: OwnCertificates, prepared: OwnCertificates) -> dt.datetime:
    """Put a CA that was prepared and its certificate in place, and return until when the certificate is valid."""
    until = x509.load_pem_x509_certificate(prepared.certificate.read_bytes()).not_valid_after_utc
    # If we crash between them, the service goes on with its earlier files until it ends; the same command mends it.
    prepared.ca_key.replace(files.ca_key)
    prepared.ca.replace(files.ca)
    prepared.key.replace(files.key)
    prepared.certificate.replace(files.certificate)
    prepared.folder.rmdir()
    return until


def _read_ca(files: OwnCertificates) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Return a CA and its key."""
    try:
        ca = x509.load_pem_x509_certificate(read_secret(files.ca))
        key = load_pem_private_key(read_secret(files.ca_key), password=None)
    except ValueError:
        raise KeyMaterialError("own_ca_unreadable", path=files.folder) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != ca.public_key():
        raise KeyMaterialError("own_ca_unreadable", path=files.folder)
    return ca, key


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    """Return the beginning of every certificate."""
    today = dt.datetime.now(tz=dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))  # clocks differ
        .not_valid_after(today + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _name(host: str) -> x509.GeneralName:
    """Return a host as certificates name it."""
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
