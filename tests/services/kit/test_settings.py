"""Settings: one file, nothing unknown, nothing repeated that could be a secret."""

from pathlib import Path

import pytest
from pydantic import Field

from aquila.errors import InputError
from services.kit.settings import DatabaseSettings, PeerSettings, ServiceSettings, is_loopback, load
from services.node.settings import NodeSettings


class _Settings(ServiceSettings):
    peer: PeerSettings | None = Field(default=None, description="The other one.")


def _file(folder: Path, content: str) -> Path:
    path = folder / "node.toml"
    path.write_text(content, encoding="utf-8")
    return path


def test_defaults_are_loopback_without_tls(tmp_path: Path) -> None:
    settings = load(_file(tmp_path, 'home = "h"'), ServiceSettings)
    assert (settings.listen.host, settings.tls, settings.database.url) == ("127.0.0.1", None, "")


def test_relative_paths_count_from_the_file(tmp_path: Path) -> None:
    settings = load(_file(tmp_path, 'home = "h"\n[tls]\ncertificate = "c.pem"\nkey = "/k.pem"'), ServiceSettings)
    assert settings.home == tmp_path / "h"
    assert settings.tls is not None
    assert (settings.tls.certificate, str(settings.tls.key)) == (tmp_path / "c.pem", "/k.pem")


def test_the_environment_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME_", "x")
    monkeypatch.setenv("LOG_LEVEL", "debug")
    assert load(_file(tmp_path, 'home = "h"'), ServiceSettings).log_level == "info"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('home = "h"\nprot = 1', "prot: it is not known here"),
        ('home = "h"\n[listen]\nprot = 1', "listen.prot: it is not known here"),
        ("", "home: it is missing"),
        ('home = "h"\n[listen]\nport = 70000', "listen.port"),
        ('home = "h"\n[listen]\npublic_url = "ftp://x"', "listen: public_url needs http"),
        ('home = "h"\n[listen]\npublic_url = "https://x/y"', "no path"),
        ('home = "h"\n[listen]\npublic_url = "https://u:geheim@x"', "no path or credentials"),
        ('home = "h"\n[listen]\npublic_url = "https://x:1:2"', "a port that is a number"),
        ('home = "h"\n[peer]\nurl = "https://x:port"', "a port that is a number"),
        ('home = "h"\n[tls]\ncertificate = "c"\nkey = "k"\nverify_clients = true', "tls: verify_clients needs ca"),
        ('home = "h"\n[database]\nurl = "postgresql+psycopg://u:geheim@h/d"', "password_file"),
        ('home = "h"\n[database]\nurl = "postgresql+psycopg://u@localhost/d?password=geheim"', "password_file"),
        ('home = "h"\n[database]\nurl = "postgresql+psycopg://u@localhost/d?sslpassword=geheim"', "password_file"),
        ('home = "h"\n[database]\nurl = "mysql://h/d"', "url needs sqlite"),
        ('home = "h"\n[database]\nurl = "geheim"', "url cannot be read"),
        ('home = "h"\n[peer]\nurl = "http://example.org"', "peer: url needs https"),
        ('home = "h"\n[peer]\nurl = "https://geheim@example.org"', "nor credentials"),
        ('home = "h"\n[peer]\nurl = "https://:geheim@example.org"', "nor credentials"),
        ('home = "h"\n[peer]\nurl = "https://example.org"\nkey = "k"', "certificate and key come together"),
        ('home = "h"\ndask_scheduler = "tcp://geheim:8786"', "dask_scheduler needs tls://host:port"),
        ('home = "h"\ndask_scheduler = "tls://geheim"', "dask_scheduler needs tls://host:port"),
        ('home = "h"\ndask_scheduler = "tls://geheim:port"', "dask_scheduler needs tls://host:port"),
        ('home = "h"\ndask_scheduler = "tls://:8786"', "dask_scheduler needs tls://host:port"),
        ('home = "h"\ndask_scheduler = "tls://u:geheim@h:8786"', "dask_scheduler needs tls://host:port"),
        (
            'home = "h"\nexecutor = "dask"\ndask_scheduler = "tls://h:1"\ndask_ca_file = "geheim"',
            'executor "dask" needs dask_certificate_file, dask_key_file',
        ),
        ('home = "h"\nexecutor = "geheim"', "executor: it has to be"),
        ('home = "h', "is not TOML"),
        ('home = "h"\nlog_level = "geheim"', "log_level: it has to be"),
    ],
)
def test_a_faulty_file_is_refused_by_name_and_setting(tmp_path: Path, content: str, said: str) -> None:
    path = _file(tmp_path, content)
    with pytest.raises(InputError) as caught:
        load(path, _Settings)
    assert said in caught.value.message
    assert str(path) in caught.value.message
    assert "geheim" not in caught.value.message
    assert caught.value.__cause__ is None


def test_a_cluster_that_is_not_asked_for_changes_nothing(tmp_path: Path) -> None:
    """Its settings may stay in the file while the work is done on this machine."""
    content = 'home = "h"\ndask_scheduler = "tls://cluster.internal:8786"\ndask_ca_file = "ca.pem"'
    settings = load(_file(tmp_path, content), ServiceSettings)
    assert settings.executor == "local"
    assert settings.dask_ca_file == tmp_path / "ca.pem"


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one: it is not known here; two: it is not known here"):
        load(_file(tmp_path, 'home = "h"\none = 1\ntwo = 2'), ServiceSettings)


def test_a_missing_file_and_other_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "none.toml", ServiceSettings)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        load(tmp_path / "bytes.toml", ServiceSettings)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_alone(host: str, *, loopback: bool) -> None:
    """Names are not looked up: only localhost and loopback addresses count."""
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    "where",
    [
        "u@localhost/d",
        "u@127.0.0.1:5433/d",
        "u@[::1]/d",
        "u@/d?host=/run/postgresql",
        "u@/d",
        "u@/d?host=@hidden",
        "u@db.example/d?sslmode=verify-full&sslrootcert=/etc/aquila/database-ca.pem",
    ],
)
def test_a_database_of_this_machine_or_by_verified_tls(where: str) -> None:
    """Loopback and sockets need no TLS; elsewhere the server's certificate and name are verified."""
    assert DatabaseSettings(url=f"postgresql+psycopg://{where}").url


@pytest.mark.parametrize(
    "where",
    [
        "u@db.example/d",
        "u@10.0.0.1/d?sslmode=require",
        "u@db.example/d?sslmode=verify-ca",
        "u@/d?host=db.example",
        "u@localhost/d?hostaddr=10.0.0.1",
        "u@/d?host=localhost:5432&host=db.example:5432",
        "u@/d?host=localhost,db.example",
        "u@/d?service=elsewhere",
    ],
)
def test_a_database_elsewhere_without_verified_tls(where: str) -> None:
    """However libpq is told the host; rows and the password would go there in the clear, or to somebody else."""
    with pytest.raises(ValueError, match="verify-full"):
        DatabaseSettings(url=f"postgresql+psycopg://{where}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[listen]\nhost = "10.0.0.1"', "listen"),
        ('[listen]\npublic_url = "https://node.example"', "listen"),
        ('[database]\nurl = "sqlite:////elsewhere.db"', "database"),
        ("pages = false", "pages = false"),
        ('[matcher]\nurl = "https://matcher.example"', "matcher"),
        ('deliveries = "in"', "deliveries"),
        ('[notifications]\ncommand = ["/bin/true"]', "notifications"),
    ],
)
def test_practice_stays_on_this_machine(tmp_path: Path, content: str, said: str) -> None:
    """A home of practice with anything that reaches beyond it is refused, and one of loopback alone is not."""
    own = 'home = "h"\npractice = true\ncode = "SI"\nname = "SI"\nidentity = "i.pem"\nregistry = "r.toml"\n'
    matcher = '\n[matcher]\nurl = "http://127.0.0.1:9"'
    assert load(_file(tmp_path, own + matcher), NodeSettings).practice
    with pytest.raises(InputError, match="practice stays in its home") as raised:
        load(_file(tmp_path, own + content + ("" if "[matcher]" in content else matcher)), NodeSettings)
    assert said in str(raised.value)
