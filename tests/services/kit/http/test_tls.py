"""TLS over real sockets: files are read again when they change, and a refused certificate has its reason."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clients.sdk.connection import Access, ClientCertificate, Connection
from services.kit.errors import PeerUnavailableError
from services.kit.http.certificates import CertificateEnds, CertificateFile
from services.kit.http.peer import Peer
from services.kit.http.tls import RenewedContext, certificate_fault, server_context
from services.kit.settings import PeerSettings, TlsSettings
from tests.support.authority import Authority
from tests.support.log_lines import Lines


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    made = Authority.create(tmp_path, "ca")
    made.issue("service")
    made.issue("caller")
    return made


def logged(lines: Lines) -> list[dict[str, object]]:
    found = [json.loads(line) for line in str(lines).splitlines()]
    return [line for line in found if line["logger"] == "aquila.kit.tls"]


@contextlib.asynccontextmanager
async def served(folder: Path, *, verify: bool = False) -> AsyncIterator[tuple[int, RenewedContext]]:
    files = TlsSettings(
        certificate=folder / "service.pem", key=folder / "service.key", ca=folder / "ca.pem", verify_clients=verify
    )
    context = server_context(files)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], context
    finally:
        server.close()


def peer(folder: Path, port: int, *, shown: str = "", ca: str = "ca", host: str = "127.0.0.1") -> Peer:
    files = {"certificate": folder / f"{shown}.pem", "key": folder / f"{shown}.key"} if shown else {}
    return Peer(PeerSettings(url=f"https://{host}:{port}", ca=folder / f"{ca}.pem", **files))


async def refusal(made: Peer) -> str:
    with pytest.raises(PeerUnavailableError) as caught:
        await made.call("GET", "/")
    await made.close()
    return caught.value.sentence.code


async def works(made: Peer) -> bool:
    answer = await made.call("GET", "/")
    await made.close()
    return answer.status_code == 204


async def test_a_certificate_that_ended_is_renewed_while_the_service_runs(ca: Authority, tmp_path: Path) -> None:
    """The service starts with a certificate that has ended; new files bring its callers back, without a restart."""
    ca.issue("service", days=-1)
    async with served(tmp_path) as (port, _):
        assert await refusal(peer(tmp_path, port)) == "certificate_expired"
        ca.issue("service")
        assert await works(peer(tmp_path, port))


async def test_a_caller_reads_its_files_again(ca: Authority, tmp_path: Path) -> None:
    """A node whose certificate has ended shows the new one as soon as it is there, and learns the reason until then."""
    ca.issue("caller", days=-1)
    async with served(tmp_path, verify=True) as (port, _):
        made = peer(tmp_path, port, shown="caller")
        with pytest.raises(PeerUnavailableError) as caught:
            await made.call("GET", "/")
        assert caught.value.sentence.code == "own_certificate_expired"
        ca.issue("caller")
        assert await works(made)


async def test_a_new_authority_takes_the_place_of_the_old(ca: Authority, tmp_path: Path) -> None:
    """Callers of the old CA are refused once the file of CAs names the new one alone."""
    async with served(tmp_path, verify=True) as (port, _):
        assert await works(peer(ca.folder, port, shown="caller"))
        (tmp_path / "old.pem").write_bytes((tmp_path / "ca.pem").read_bytes())
        Authority.create(tmp_path, "ca").issue("another")
        code = await refusal(peer(tmp_path, port, shown="caller", ca="old"))
        assert code == "own_certificate_authority_unknown"
        assert await works(peer(tmp_path, port, shown="another", ca="old"))


async def test_half_written_files_leave_the_earlier_ones_in_force(ca: Authority, tmp_path: Path, lines: Lines) -> None:
    """A certificate whose key is not there yet changes nothing; the fault is logged and gone with the key."""
    async with served(tmp_path) as (port, context):
        before = (tmp_path / "service.key").read_bytes()
        ca.issue("service")
        after = (tmp_path / "service.key").read_bytes()
        (tmp_path / "service.key").write_bytes(before)
        assert await works(peer(tmp_path, port))
        assert context.failure is not None
        assert context.failure.sentence.code == "tls_certificate_or_key_unreadable"
        (tmp_path / "service.key").write_bytes(after)
        assert await works(peer(tmp_path, port))
        assert context.failure is None
    assert [line["event"] for line in logged(lines)] == ["certificates_not_renewed", "certificates_renewed"]


async def test_a_caller_without_a_certificate_reads_that_it_needs_one(
    ca: Authority, tmp_path: Path, lines: Lines
) -> None:
    """The alert reaches the caller, whose error names the reason, and the service logs it once."""
    assert ca.folder == tmp_path
    async with served(tmp_path, verify=True) as (port, _):
        assert await refusal(peer(tmp_path, port)) == "own_certificate_missing"
        assert await refusal(peer(tmp_path, port)) == "own_certificate_missing"
    assert [line["code"] for line in logged(lines)] == ["certificate_missing"]


async def test_a_caller_that_trusts_another_authority_says_so(ca: Authority, tmp_path: Path) -> None:
    Authority.create(tmp_path, "foreign")
    assert ca.folder == tmp_path
    async with served(tmp_path) as (port, _):
        assert await refusal(peer(tmp_path, port, ca="foreign")) == "certificate_authority_unknown"
        assert await refusal(peer(tmp_path, port, host="localhost")) == "certificate_of_another_name"


@pytest.mark.parametrize(("shown", "code"), [("", "own_certificate_missing"), ("ended", "own_certificate_expired")])
async def test_a_command_reads_the_same_reasons(ca: Authority, tmp_path: Path, shown: str, code: str) -> None:
    ca.issue("ended", days=-1)
    certificate = ClientCertificate(tmp_path / f"{shown}.pem", tmp_path / f"{shown}.key") if shown else None
    async with served(tmp_path, verify=True) as (port, _):

        def call() -> str:
            access = Access("node", f"https://127.0.0.1:{port}", "", tmp_path / "ca.pem", certificate)
            with Connection(access) as connection, pytest.raises(PeerUnavailableError) as caught:
                connection.call("GET", "/")
            return caught.value.sentence.code

        assert await asyncio.to_thread(call) == code


async def test_a_caller_that_sends_on_after_its_refusal_is_cut_off(ca: Authority, tmp_path: Path) -> None:
    """A refused caller cannot fill memory: beyond some bytes its connection is reset."""
    assert ca.folder == tmp_path
    async with served(tmp_path, verify=True) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        client = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                incoming.write(await reader.read(1 << 16))
        client.write(b"x" * 1_000)
        writer.write(outgoing.read())

        async def send_on() -> None:
            while True:
                writer.write(b"x" * (1 << 16))
                await writer.drain()

        with pytest.raises(OSError):  # noqa: PT011 - reset or a broken pipe, as the system sees it first
            await send_on()
        writer.close()


def test_other_errors_are_no_fault_of_a_certificate() -> None:
    """A connection that broke has no reason that a certificate could give, however many causes it has."""
    error: Exception = OSError("broken")
    assert certificate_fault(error) is None
    for _ in range(20):
        outer = OSError("outer")
        outer.__cause__, error = error, outer
    assert certificate_fault(error) is None


def test_the_end_of_a_certificate_is_read_and_read_again(ca: Authority, tmp_path: Path) -> None:
    days = 86_400
    ca.issue("one", days=5)
    (tmp_path / "both.pem").write_bytes((tmp_path / "one.pem").read_bytes() + (tmp_path / "ca.pem").read_bytes())
    ca.issue("far", days=50)
    (tmp_path / "cas.pem").write_bytes((tmp_path / "ca.pem").read_bytes() + (tmp_path / "far.pem").read_bytes())
    ends = CertificateEnds(
        [
            CertificateFile("tls.certificate", tmp_path / "both.pem"),
            CertificateFile("tls.ca", tmp_path / "cas.pem", authorities=True),
            CertificateFile("matcher.ca", tmp_path / "missing.pem", authorities=True),
        ]
    )
    own, authorities, missing = ends.current()
    assert own.setting == "tls.certificate"
    assert own.ends_at is not None
    assert authorities.ends_at is not None
    assert authorities.ends_at - own.ends_at in range(45 * days - 60, 45 * days + 60)
    assert missing.ends_at is None
    ca.issue("one", days=9)
    (tmp_path / "both.pem").write_bytes((tmp_path / "one.pem").read_bytes())
    renewed = ends.current()[0].ends_at
    assert renewed is not None
    assert renewed > own.ends_at
    assert ends.current()[0].ends_at == renewed
