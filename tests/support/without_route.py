"""Install a bundle and start its services where no address but loopback can be reached.

    unshare --map-root-user --net python without_route.py FOLDER COMMANDS

The commands are those that a person gives, one a line, in the folder. Nothing of the tests' environment is used: this
program needs Python's own library alone, and prints as JSON what it saw.
"""

import errno
import json
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

SECONDS = 600.0
OUTSIDE = ("192.0.2.1", 443)
"""An address of RFC 5737, which nobody has."""


def main(folder: Path, commands: str) -> None:
    """Install by the commands, make a matcher and a node, start both, and print what they answer."""
    _output("ip", "link", "set", "lo", "up")
    seen: dict[str, Any] = {"outside": _error_outside()}
    _output("/bin/sh", "-e", "-c", commands, cwd=folder)
    aquila = str(folder / "opt/bin/aquila")
    seen["version"] = _output(aquila, "--version")
    home = {kind: folder / f"home-{kind}" for kind in ("matcher", "node")}
    port = {kind: _free_port() for kind in home}
    _output(
        aquila,
        "matcher",
        "init",
        "--home",
        str(home["matcher"]),
        "--public-url",
        f"https://localhost:{port['matcher']}",
    )
    processes = [_started(aquila, "matcher", home["matcher"])]
    try:
        invite = ("matcher", "invite", "SI", "--name", "Slovenia", "--home", str(home["matcher"]))
        _output(aquila, *invite, cwd=folder)
        joining = ("node", "join", "si.invite", "--home", str(home["node"]))
        _output(aquila, *joining, "--public-url", f"https://localhost:{port['node']}", cwd=folder)
        processes.append(_started(aquila, "node", home["node"]))
        for kind, folder_of in home.items():
            live = _status(f"https://localhost:{port[kind]}/live", folder_of / "tls/ca.pem")
            seen[kind] = {"live": live, "doctor": _doctor(aquila, folder_of)}
    finally:
        for process in processes:
            process.terminate()
            process.communicate(timeout=SECONDS)
    sys.stdout.write(json.dumps(seen))


def _error_outside() -> str:
    """Return the name of the error with which a connection to elsewhere fails."""
    with socket.socket() as probe:
        return errno.errorcode[probe.connect_ex(OUTSIDE)]


def _output(*words: str, cwd: Path | None = None) -> str:
    """Return what a command prints; its errors are seen."""
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, timeout=SECONDS, cwd=cwd).stdout.strip()


def _started(aquila: str, kind: str, home: Path) -> subprocess.Popen[bytes]:
    """Start a service, and return when it says that it is ready."""
    with home.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen([aquila, kind, "serve", "--home", str(home)], stdout=subprocess.PIPE, stderr=log)
    assert process.stdout is not None
    assert b"ready" in process.stdout.readline(), home.with_suffix(".log").read_text(errors="replace")
    return process


def _doctor(aquila: str, home: Path) -> list[dict[str, Any]]:
    words = [aquila, "doctor", "--home", str(home), "--json"]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=SECONDS)
    assert done.stdout, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return found


def _status(url: str, ca: Path) -> int:
    trust = ssl.create_default_context(cafile=str(ca))
    ends = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, context=trust, timeout=SECONDS) as answer:
                return int(answer.status)
        except OSError:
            assert time.monotonic() < ends
            time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
