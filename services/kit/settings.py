"""Settings: one TOML file, read once, into one frozen object per service.

Nothing comes from the environment: what a service does is what its file says. An unknown key is refused, because a
misspelled one would silently leave a default in force. Secrets are never values of a setting but paths of files, and
no error repeats a value. Relative paths count from the file's own folder. Every setting has a description, which the
operations page and the sample files are checked against.
"""

import re
import tomllib
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from aquila.audit.roles import Role
from aquila.errors import InputError
from aquila.protocol.messages.unusable import in_words

MEBIBYTE = 1 << 20


def _from_file_folder(path: Path, info: ValidationInfo) -> Path:
    """Let a relative path count from the folder of the settings file."""
    folder = (info.context or {}).get("folder")
    return path if folder is None else (folder / path.expanduser())


SettingPath = Annotated[Path, AfterValidator(_from_file_folder)]


class Settings(BaseModel):
    """A group of settings: frozen, every default checked, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, hide_input_in_errors=True)


def _has_usable_port(parts: SplitResult) -> bool:
    """Return whether an address names no port, or one that there can be."""
    try:
        return parts.port != 0
    except ValueError:
        return False


def _has_credentials(parts: SplitResult) -> bool:
    return "@" in parts.netloc


class ListenSettings(Settings):
    """The address on which the service listens."""

    host: str = Field(default="127.0.0.1", description="Address to listen on; other than loopback only with [tls].")
    port: int = Field(default=8700, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one.")
    public_url: str = Field(
        default="",
        description="URL under which peers call the service, where it differs from host and port (behind a proxy).",
    )
    names: tuple[str, ...] = Field(
        default=(),
        description="More host names of the service, besides loopback, host, public_url and those of its certificate.",
    )

    @model_validator(mode="after")
    def _public_url_is_an_origin(self) -> "ListenSettings":
        parts = urlsplit(self.public_url)
        if self.public_url and (
            parts.scheme not in {"http", "https"}
            or not parts.netloc
            or parts.path not in {"", "/"}
            or _has_credentials(parts)
            or not _has_usable_port(parts)
        ):
            raise ValueError(
                "public_url needs http or https, a host, a port that is a number if any, and no path or credentials"
            )
        return self


class TlsSettings(Settings):
    """The service's side of TLS 1.3."""

    certificate: SettingPath = Field(description="PEM file with the service's certificate and its chain.")
    key: SettingPath = Field(description="PEM file with the certificate's private key, readable by the service alone.")
    ca: SettingPath | None = Field(default=None, description="PEM file with the CAs whose client certificates count.")
    verify_clients: bool = Field(default=False, description="Refuse callers without a certificate of [tls] ca.")

    @model_validator(mode="after")
    def _clients_need_a_ca(self) -> "TlsSettings":
        if self.verify_clients and self.ca is None:
            raise ValueError("verify_clients needs ca")
        return self


class CommandSettings(Settings):
    """Settings of the `aquila` command for the service whose home this is."""

    ca: SettingPath | None = Field(default=None, description="PEM file with the CA of the service; else the system's.")
    certificate: SettingPath | None = Field(default=None, description="PEM file with the certificate to show.")
    key: SettingPath | None = Field(default=None, description="PEM file with that certificate's private key.")

    @model_validator(mode="after")
    def _both_or_none(self) -> "CommandSettings":
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key come together")
        return self


class PeerSettings(Settings):
    """The other service that this one calls."""

    url: str = Field(description="Base URL of the peer; http only on loopback.")
    ca: SettingPath | None = Field(default=None, description="PEM file with the CA of the peer; else the system's CAs.")
    certificate: SettingPath | None = Field(default=None, description="PEM file with the client certificate to show.")
    key: SettingPath | None = Field(default=None, description="PEM file with the client certificate's private key.")
    follow_registry: bool = Field(
        default=False, description="Take the matcher's address and CA from the registry in force."
    )
    connect_seconds: float = Field(default=10, gt=0, description="Seconds to wait for a connection.")
    read_seconds: float = Field(default=60, gt=0, description="Seconds to wait for the peer's next bytes.")
    answer_mebibytes: int = Field(default=16, ge=1, description="Largest answer that is read into memory, in MiB.")

    @model_validator(mode="after")
    def _plain_http_stays_on_loopback(self) -> "PeerSettings":
        parts = urlsplit(self.url)
        if (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or parts.query
            or parts.fragment
            or _has_credentials(parts)
            or not _has_usable_port(parts)
        ):
            raise ValueError(
                "url needs http or https, a host, a port that is a number if any, and neither query nor credentials"
            )
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("url needs https, because the host is not loopback")
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key come together")
        return self


class DatabaseSettings(Settings):
    """The database."""

    url: str = Field(
        default="",
        description="SQLAlchemy URL, `postgresql+psycopg://user@host/name`, without a password; else SQLite in home. "
        "Elsewhere than on this machine with `?sslmode=verify-full`.",
    )
    password_file: SettingPath | None = Field(default=None, description="File with the database password.")
    wait_seconds: int = Field(default=30, ge=1, description="Seconds to wait for another writer before giving up.")

    @model_validator(mode="after")
    def _url_is_sqlite_or_postgresql(self) -> "DatabaseSettings":
        if not self.url:
            return self
        try:
            url = make_url(self.url)
        except ArgumentError:
            raise ValueError("url cannot be read") from None
        if url.drivername not in {"sqlite", "postgresql+psycopg"}:
            raise ValueError("url needs sqlite:/// or postgresql+psycopg://")
        if url.password or {"password", "sslpassword"} & set(url.query):
            raise ValueError("url holds a password; put it into password_file")
        if any(not _stays_here(host) for host in _hosts(url)) and url.query.get("sslmode") != "verify-full":
            raise ValueError("url needs ?sslmode=verify-full&sslrootcert=FILE, because the host is not loopback")
        return self


class LimitSettings(Settings):
    """Limits of one caller's requests."""

    body_mebibytes: int = Field(default=8, ge=3, description="Largest request body in MiB; a full chunk has 2.1.")
    connections: int = Field(
        default=1_000, ge=16, le=100_000, description="Connections at once; strangers' give way to new ones beyond."
    )
    free_mebibytes: int = Field(default=256, ge=0, description="Space kept free on the disk of home, in MiB.")
    calls_per_second: float = Field(
        default=500, ge=1, description="Signed calls of one party that are taken in a second, in the long run."
    )
    calls_at_once: int = Field(default=5_000, ge=1, description="Signed calls of one party after it was quiet.")

    @property
    def body_bytes(self) -> int:
        return self.body_mebibytes * MEBIBYTE


class PeopleSettings(Settings):
    """Accounts and sessions."""

    idle_minutes: int = Field(default=30, ge=1, le=480, description="A session that is not used ends after so long.")
    session_minutes: int = Field(default=600, ge=5, le=1_440, description="A session ends after so long in any case.")
    enrolment_hours: int = Field(default=72, ge=1, le=336, description="How long an enrolment code counts.")
    approval_hours: int = Field(default=72, ge=1, le=720, description="How long what one person asks for may wait.")
    argon2_kibibytes: int = Field(
        default=65_536, ge=19_456, le=4_194_304, description="Memory that hashing a password takes, in KiB."
    )
    argon2_passes: int = Field(default=3, ge=2, le=100, description="How often hashing a password goes through it.")


class LogSettings(Settings):
    """The log that nobody can rewrite."""

    retention_days: int = Field(
        default=1_095, ge=1_095, le=36_600, description="Days after which contents of the log's entries are erased."
    )


class MetricsSettings(Settings):
    """Metrics for Prometheus."""

    port: int = Field(ge=1, le=65535, description="TCP port of loopback for metrics and probes.")


class ProviderSettings(Settings):
    """A ministry's own identity provider (OpenID Connect), besides or instead of local accounts."""

    issuer: str = Field(description="The provider's issuer URL, exactly as it names itself; http only on loopback.")
    client_id: str = Field(min_length=1, description="Who this service is to the provider.")
    client_secret_file: SettingPath = Field(description="File with the client's secret, readable by the service alone.")
    redirect_url: str = Field(description="Where the provider sends the browser back, as registered there.")
    scope: str = Field(
        default="openid profile", description="What is asked for; must contain openid, and profile for the name."
    )
    roles_claim: str = Field(default="roles", description="The claim of the ID token that tells of roles.")
    roles: dict[str, Role] = Field(description="Table: a value of that claim, and the role that it stands for.")
    acr: str = Field(
        default="",
        description="The authentication context (`acr`) that means two factors there; without it `amr` must name two.",
    )
    one_factor_is_enough: bool = Field(
        default=False, description="Take sign-ins for which the provider does not say that there were two factors."
    )
    ca: SettingPath | None = Field(default=None, description="PEM file with the CA of the provider; else the system's.")

    @model_validator(mode="after")
    def _addresses_are_safe(self) -> "ProviderSettings":
        for name in ("issuer", "redirect_url"):
            parts = urlsplit(getattr(self, name))
            if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
                raise ValueError(f"{name} needs https, or http on loopback")
            if _has_credentials(parts):
                raise ValueError(f"{name} holds credentials, which everyone who signs in would see")
        if "openid" not in self.scope.split():
            raise ValueError("scope needs openid")
        if self.acr and self.one_factor_is_enough:
            raise ValueError("acr demands two factors, and one_factor_is_enough does not")
        return self


class ServiceSettings(Settings):
    """Settings that node and matcher have in common."""

    home: SettingPath = Field(description="Folder for keys, files and the default database.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Lines to write.")
    workers: int = Field(default=0, ge=0, description="Processes for the heavy work; 0 takes one per core.")
    executor: Literal["local", "dask"] = Field(
        default="local", description="Where the heavy work is done: local, or dask for a cluster of this party's own."
    )
    dask_scheduler: str = Field(default="", description="Address of the cluster's scheduler, `tls://host:port`.")
    dask_ca_file: SettingPath | None = Field(default=None, description="PEM file with the CA of the cluster.")
    dask_certificate_file: SettingPath | None = Field(
        default=None, description="PEM file with the service's certificate in the cluster."
    )
    dask_key_file: SettingPath | None = Field(default=None, description="PEM file with that certificate's private key.")
    listen: ListenSettings = Field(default_factory=ListenSettings, description="Where the service listens.")
    tls: TlsSettings | None = Field(default=None, description="TLS of the service; without it only loopback.")
    command: CommandSettings | None = Field(
        default=None, description="What the `aquila` command shows and trusts when it speaks to this service."
    )
    database: DatabaseSettings = Field(default_factory=DatabaseSettings, description="Where rows are kept.")
    limits: LimitSettings = Field(default_factory=LimitSettings, description="What one caller may ask for at once.")
    log: LogSettings = Field(default_factory=LogSettings, description="The log that nobody can rewrite.")
    people: PeopleSettings = Field(default_factory=PeopleSettings, description="Accounts and sessions.")
    metrics: MetricsSettings | None = Field(
        default=None, description="Metrics for Prometheus, to everybody on this machine; without it there are none."
    )
    provider: ProviderSettings | None = Field(default=None, description="The ministry's own identity provider.")
    pages: bool = Field(default=True, description="Serve the pages beside the service; else `aquila web` does.")
    practice: bool = Field(
        default=False, description="All persons are invented, and pages and papers say so; `aquila node train` sets it."
    )

    @model_validator(mode="after")
    def _cluster_is_reached_by_tls(self) -> Self:
        parts = urlsplit(self.dask_scheduler)
        if self.dask_scheduler and (
            parts.scheme != "tls"
            or not parts.hostname
            or _has_credentials(parts)
            or not (_has_usable_port(parts) and parts.port)
        ):
            raise ValueError("dask_scheduler needs tls://host:port: shares and seeds travel to the cluster")
        if self.executor == "dask":
            names = ("dask_scheduler", "dask_ca_file", "dask_certificate_file", "dask_key_file")
            if missing := [name for name in names if not getattr(self, name)]:
                raise ValueError(f'executor "dask" needs {", ".join(missing)}')
        return self

    @model_validator(mode="after")
    def _practice_stays_on_this_machine(self) -> Self:
        if self.practice and (outward := sorted(self._outward())):
            raise ValueError(f"practice stays in its home on this machine, without {', '.join(outward)}")
        return self

    def _outward(self) -> Iterator[str]:
        """Yield the settings by which a service reaches beyond its home and loopback, or takes real data."""
        if not is_loopback(self.listen.host) or self.listen.public_url or self.listen.names:
            yield "listen"
        if self.database.url:
            yield "database"
        if self.executor != "local":
            yield "executor"
        if self.provider is not None:
            yield "provider"
        if not self.pages:
            yield "pages = false"


class KeyedSettings(ServiceSettings):
    """Settings of a service with an identity key, which node and matcher have in common."""

    identity: SettingPath = Field(
        description="PEM file with the service's own identity key, or the key's address in a PKCS#11 token; readable "
        "by it alone."
    )
    registry: SettingPath = Field(description="The registry file with the pinned keys of all parties.")
    rules: SettingPath | None = Field(default=None, description="A rule table of one's own, besides the built-in ones.")


S = TypeVar("S", bound=Settings)


def load(path: Path, cls: type[S]) -> S:
    """Read a settings file.

    Raises:
        InputError: The file cannot be read, is no TOML, or has an unknown, missing or unusable setting; the message
            names the file and each setting, and repeats no value.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls.model_validate(document, context={"folder": path.resolve().parent})
    except OSError as error:
        raise InputError("settings_file_unreadable", file=str(path), path=path, fault=error.strerror) from None
    except tomllib.TOMLDecodeError as error:
        # The decoder's message names line and column, and at most the one character that it did not expect.
        raise InputError("settings_file_not_toml", file=str(path), path=path, fault=error) from None
    except UnicodeDecodeError:
        raise InputError("settings_file_not_utf_8", file=str(path), path=path) from None
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise InputError(
            "settings_file_unusable",
            file=str(path),
            setting=_dotted(found[0]["loc"]),
            path=path,
            listed="; ".join(f"{_dotted(fault['loc'])}: {in_words(fault)}" for fault in found),
        ) from None


def described(cls: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """List every setting of a class and of its groups as dotted name and description."""
    for name, field in cls.model_fields.items():
        yield f"{prefix}{name}", field.description or ""
        groups = [field.annotation, *getattr(field.annotation, "__args__", ())]
        for group in groups:
            if isinstance(group, type) and issubclass(group, BaseModel):
                yield from described(group, f"{prefix}{name}.")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine alone, without asking a name server."""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _hosts(url: URL) -> Iterator[str]:
    """Yield where a PostgreSQL URL leads, as libpq reads it: to one host or several, by name or address."""
    if url.drivername != "sqlite":
        # What a `service` of libpq's own file names, nobody sees here: it counts as a host elsewhere.
        for given in (url.host or "", *(url.query.get(name, "") for name in ("host", "hostaddr", "service"))):
            for part in (given,) if isinstance(given, str) else given:
                yield from filter(None, part.split(","))


def _stays_here(host: str) -> bool:
    """Return whether a host of a database is this machine: a folder of sockets, an abstract socket, or loopback."""
    return host.startswith(("/", "@")) or is_loopback(host.rpartition(":")[0] if host.count(":") == 1 else host)


def _dotted(location: tuple[int | str, ...]) -> str:
    """Return a setting's name as it is written in TOML."""
    return ".".join(str(part) for part in location) or "the file"


_MAIL_ADDRESS = r"^[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"
MailAddress = Annotated[str, StringConstraints(max_length=254, pattern=_MAIL_ADDRESS)]


class MailSettings(Settings):
    """The ministry's mail server, for notifications."""

    host: str = Field(min_length=1, description="The SMTP server's host name, as its certificate has it.")
    port: int = Field(default=587, ge=1, le=65535, description="Its TCP port.")
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="starttls, tls from the first byte, or none; none only on loopback."
    )
    sender: MailAddress = Field(description="The address from which notifications come.")
    domains: tuple[str, ...] = Field(
        default=(), description="Domains of the addresses that persons may give; without it that of the sender."
    )
    user: str = Field(default="", description="Who the service is to the server; without it there is no sign-in.")
    password_file: SettingPath | None = Field(
        default=None, description="File with the password, for the service alone."
    )
    ca: SettingPath | None = Field(default=None, description="PEM file with the CA of the server; else the system's.")

    @model_validator(mode="after")
    def _nothing_travels_in_the_clear(self) -> Self:
        if self.security == "none" and not is_loopback(self.host):
            raise ValueError("security needs starttls or tls, because the host is not loopback")
        if bool(self.user) != (self.password_file is not None):
            raise ValueError("user and password_file come together")
        return self

    def takes(self, address: str) -> bool:
        """Return whether a person may give this: one plain address, of a domain of the settings."""
        if not re.fullmatch(_MAIL_ADDRESS, address):
            return False
        domains = self.domains or (self.sender.rpartition("@")[2],)
        return address.rpartition("@")[2].lower() in {domain.lower() for domain in domains}


class NotificationSettings(Settings):
    """Notifications of waiting work; each person chooses them, and nobody gets them unasked."""

    address: str = Field(
        default="", description="The service's own address, which notifications name; without it public_url or host."
    )
    daily_hour: int = Field(
        default=6, ge=0, le=23, description="The hour (UTC) from which the daily notification goes."
    )
    mail: MailSettings | None = Field(default=None, description="The ministry's mail server.")
    command: tuple[str, ...] = Field(
        default=(), description="A program with its arguments that takes a notification as JSON on its input."
    )

    @model_validator(mode="after")
    def _the_command_is_a_path(self) -> Self:
        if self.command and not Path(self.command[0]).is_absolute():
            raise ValueError("command needs an absolute path")
        if self.mail is None and not self.command:
            raise ValueError("notifications need mail or command")
        return self
