"""What the doctor says of a service whose certificate no trusted CA has signed."""

import ssl
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

from services.kit.administration import doctor
from services.kit.http.certificates import OwnCertificates, issue, make_ca
from services.kit.settings import PeerSettings


def test_a_certificate_that_nobody_trusts_is_named_with_its_service(tmp_path: Path) -> None:
    """The finding has the address in it, and no place that was left open."""
    files = OwnCertificates(tmp_path / "tls")
    make_ca(files, "somebody")
    issue(files, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"https://127.0.0.1:{server.server_port}"
        [finding] = list(doctor.examine_peer("matcher", PeerSettings(url=url), lambda: int(time.time())))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert f"the certificate of {url}" in finding.text
    assert "{" not in finding.text
