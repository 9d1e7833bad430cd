"""The demo as a whole: real processes on loopback, from invented lists to destroyed keys."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pyotp
import pytest

from clients.cli.main import main

pytestmark = pytest.mark.e2e
COMMAND = [sys.executable, "-m", "clients.cli.main", "demo", "--size", "200"]


def _left(folder: Path) -> list[int]:
    return [
        found.pid for found in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(found.info["cmdline"] or [])
    ]


def test_demo(tmp_path: Path) -> None:
    """Known overlaps are found, the matcher holds no name, keys and chunks are gone, no process is left."""
    command = [*COMMAND, "--folder", str(tmp_path / "demo"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["pairs"]["known"] == 11
    assert document["pairs"]["found"] >= 9
    assert document["query"]["hits"] == [["AL", "RS"], ["AL"], []]
    assert document["query"]["checked"] == ["AL", "RS"]
    assert document["checks"] == {"pairs": 3, "nothing_left_out": 3}
    assert document["search"]["found_in"] == document["samples_still_found"] == 0
    assert document["search"]["bytes"] > 100_000
    assert document["notes"]["confirmed"] >= document["pairs"]["found"]
    assert document["notes"]["raised"] > 0
    assert (document["log"]["rounds"], document["log"]["witnesses"]) == (1, 3)
    assert {(left["keys"], left["chunks"]) for left in document["left"].values()} == {(0, 0)}
    assert _left(tmp_path) == []
    demo = tmp_path / "demo"
    assert main(["audit", "verify", str(demo / "log.tar"), "--registry", str(demo / "matcher" / "registry.toml")]) == 0


def test_interrupted(tmp_path: Path) -> None:
    with _until(tmp_path, "3. ") as process:
        assert len(_left(tmp_path)) == 5
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=600)
    # Where the signal strikes while Python executes source text (a class that a library writes), Python ends by the
    # signal itself after everything was stopped and said; a shell shows 130 for both.
    assert process.returncode in {130, -signal.SIGINT}
    assert "aquila: error: interrupted" in said
    assert _left(tmp_path) == []


@pytest.mark.soak
def test_kept(tmp_path: Path) -> None:
    """Left running it says where each role signs in; a round is done and one waits; Ctrl-C stops everything."""
    lines: list[str] = []
    with _until(tmp_path, "Ctrl-C stops everything", "--keep", lines=lines) as process:
        try:
            _check_kept("".join(lines), tmp_path / "demo" / "authenticators")
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=600)
    assert process.returncode == 0
    assert _left(tmp_path) == []


def _check_kept(said: str, secrets: Path) -> None:
    password = re.search(r"Everyone's password is: (.+)", said)
    assert password
    assert "/authenticators/<home>-<login>" in said
    places = re.findall(r"^ (\S+) +(http://127\.0\.0\.1:\d+)/ +(.+?) *$", said, re.MULTILINE)
    assert [name for name, _, _ in places] == ["matcher", "AL", "RS", "SI"]
    for name, address, logins in places:
        assert {"auditor", "administrator"} < set(logins.split(", "))
        for login in logins.split(", "):
            secret = (secrets / f"{name.lower()}-{login}").read_text().strip()
            token = _sign_in(address, login, password[1], secret)
            if login == "auditor":
                path = "/v1/operator/rounds" if name == "matcher" else "/v1/rounds"
                listed = httpx.get(address + path, headers={"authorization": f"Bearer {token}"}).json()["rounds"]
                assert sorted(one["phase"] for one in listed) == ["closed", "proposed"]


def _sign_in(address: str, login: str, password: str, secret: str) -> str:
    """Sign in as the demo says one can, with the next code: enrolment may have used up the present one."""
    code = pyotp.TOTP(secret).at(int(time.time()), counter_offset=1)
    answer = httpx.post(f"{address}/v1/people/sign-in", json={"login": login, "password": password, "code": code})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def test_killed_node(tmp_path: Path) -> None:
    """A process that ends by itself ends the demo, with its last log lines, and nothing is left running."""
    with _until(tmp_path, "4. ") as process:
        victim = next(pid for pid in _left(tmp_path) if "node" in psutil.Process(pid).cmdline())
        os.kill(victim, signal.SIGKILL)
        _, said = process.communicate(timeout=600)
    assert process.returncode == 3
    assert "aquila: error: " in said
    assert '"logger":"aquila.' in said
    assert "Traceback" not in said
    assert _left(tmp_path) == []


def _until(folder: Path, start: str, *more: str, lines: list[str] | None = None) -> subprocess.Popen[str]:
    command = [*COMMAND, "--folder", str(folder / "demo"), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if lines is not None:
            lines.append(line)
        if line.startswith(start):
            break
    return process
