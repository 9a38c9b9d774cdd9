"""What is fetched, and what is not, from a server of our own that speaks TLS."""

import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from globalconnect.domain.errors import Unavailable
from globalconnect.inbound import fetch as fetching
from globalconnect.inbound.fetch import fetch

LARGEST = 64 * 1024


class _Handler(BaseHTTPRequestHandler):
    hangs_until = threading.Event()

    def do_GET(self) -> None:
        asked, _, size = self.path.partition("?")
        if asked == "/hangs":
            self.hangs_until.wait(10)
        if asked == "/closes":
            return
        self.send_response({"/moved": 302, "/failed": 500, "/missing": 404, "/empty": 204}.get(asked, 200))
        self.send_header("Location", "/found?1")
        self.end_headers()
        self.wfile.write(b"x" * int(size or 0))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _certificate(place: Path) -> Path:
    """Write a key and its certificate for this machine to a file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    begins = datetime(2020, 1, 1, tzinfo=UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=36500))
        .add_extension(here, critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file = place / "server.pem"
    file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem))
    return file


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a server that is trusted; gives its URL."""
    file = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    _Handler.hangs_until.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as listening:
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
        running = threading.Thread(target=listening.serve_forever, args=(0.01,))
        running.start()
        yield f"https://127.0.0.1:{listening.server_port}"
        _Handler.hangs_until.set()
        listening.shutdown()
        running.join()


@pytest.mark.parametrize("size", [0, 1, LARGEST])
def test_what_is_there_is_fetched_with_its_query(server: str, size: int) -> None:
    assert fetch(f"{server}/found?{size}") == b"x" * size


@pytest.mark.parametrize("asked", ["/moved?1", "/failed", "/missing", "/empty", "/closes", f"/found?{LARGEST + 1}"])
def test_anything_but_a_200_of_a_fair_size_is_unavailable(server: str, asked: str) -> None:
    with pytest.raises(Unavailable):
        fetch(f"{server}{asked}")


def test_it_does_not_wait(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_TIMEOUT", 0.1)
    began = time.monotonic()
    with pytest.raises(Unavailable) as refused:
        fetch(f"{server}/hangs")
    assert refused.value.reason == "TimeoutError"
    assert time.monotonic() - began < 4


def test_who_is_not_trusted_or_not_there_is_unavailable(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    for url in (server, "https://127.0.0.1:1/", f"{server}/a b"):
        with pytest.raises(Unavailable):
            fetch(url)
