"""A Dask cluster as real processes on loopback, with certificates of its own, for the end-to-end tests."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.process_world import free_port

DASK = str(Path(sys.executable).parent / "dask")
SAMPLE = Path(__file__).parents[2] / "deploy" / "samples" / "dask.yaml"
UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SCHEDULER_UNIT, WORKER_UNIT = "aquila-dask-scheduler.service", "aquila-dask-worker.service"
START_SECONDS = 60


RENEWED = "renewed"
"""The name of a second certificate for services."""


def write_authority(folder: Path, names: Sequence[str] = ("scheduler", "worker", "service", RENEWED)) -> None:
    """Write a CA, and certificates by it, all for 127.0.0.1."""
    folder.mkdir()
    authority, signer = _certificate("authority", None)
    (folder / "ca.pem").write_bytes(authority.public_bytes(Encoding.PEM))
    for name in names:
        certificate, key = _certificate(name, (authority, signer))
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        path = folder / f"{name}.key"
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        path.chmod(0o600)


def _certificate(
    name: str, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    signer = key if issuer is None else issuer[1]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return made, key


def unit_on_loopback(unit: str, port: int) -> str:
    """Return the content of a Dask unit with the names and ports of a cluster of one worker on this machine."""
    content = (UNITS / unit).read_text("utf-8")
    here = [
        ("dask.internal:8786", f"127.0.0.1:{port}"),
        ("dask.internal", "127.0.0.1"),
        ("--port 8786", f"--port {port}"),
        ("127.0.0.1:8787", "127.0.0.1:0"),
        ("worker1.internal", "127.0.0.1"),
        ("--nworkers 8", "--nworkers 1"),
    ]
    for delivered, other in here:
        content = content.replace(delivered, other)
    return content


@dataclass
class Cluster:
    """A scheduler and its workers, configured by the sample file; `stop` ends all of them for sure."""

    folder: Path
    workers: int = 2
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"tls://127.0.0.1:{self.port}"

    @property
    def certificates(self) -> Path:
        return self.folder / "certificates"

    @property
    def logs(self) -> list[Path]:
        """What the processes wrote, and whatever else they left."""
        return [path for path in self.folder.rglob("*") if path.is_file() and self.certificates not in path.parents]

    def settings(self) -> str:
        """Return what a service's settings file says of this cluster."""
        place = self.certificates
        return (
            f'executor = "dask"\ndask_scheduler = "{self.address}"\ndask_ca_file = "{place}/ca.pem"\n'
            f'dask_certificate_file = "{place}/service.pem"\ndask_key_file = "{place}/service.key"\n'
        )

    def start(self) -> None:
        """Start everything, and wait until the scheduler knows all workers."""
        self.folder.mkdir(exist_ok=True)
        if not self.certificates.exists():
            write_authority(self.certificates)
        (self.folder / "configuration").mkdir(exist_ok=True)
        sample = SAMPLE.read_text(encoding="utf-8").replace("/etc/aquila/dask", str(self.certificates))
        (self.folder / "configuration" / "dask.yaml").write_text(sample, encoding="utf-8")
        self._run_all()
        scheduler, ends = self.folder / "scheduler.log", time.monotonic() + START_SECONDS
        while scheduler.read_text(errors="replace").count("Starting worker compute stream") < self.workers:
            assert time.monotonic() < ends, scheduler.read_text(errors="replace")
            assert all(process.poll() is None for process in self.processes), scheduler.read_text(errors="replace")
            time.sleep(0.1)

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait(timeout=30)
        self.processes = []

    def _run_all(self) -> None:
        quiet = ("--dashboard-address", "127.0.0.1:0")
        self._run("scheduler", DASK, "scheduler", "--host", "tls://127.0.0.1", "--port", str(self.port), *quiet)
        for number in range(self.workers):
            self._run(
                f"worker-{number}",
                DASK,
                "worker",
                self.address,
                "--host",
                "127.0.0.1",
                "--nthreads",
                "1",
                "--no-nanny",
                "--local-directory",
                str(self.folder / f"scratch-{number}"),
                *quiet,
            )

    def _run(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes.append(
                subprocess.Popen(
                    command,
                    stdout=log,
                    stderr=log,
                    cwd=self.folder,
                    env={**os.environ, "DASK_CONFIG": str(self.folder / "configuration"), **self.environment},
                )
            )
