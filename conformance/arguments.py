"""What both commands are told, and what is wrong with it: all of this raises ValueError, which names the variable."""

import ipaddress
import math
from pathlib import Path
from urllib.parse import urlsplit

_LAST_PORT = 65_535
_DIGITS = 5


def supplier_url(name: str, text: str, *, remote: bool) -> str:
    """Return where a supplier is asked; on another machine if it may be."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"{name} has characters that a URL has percent-encoded only.")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        raise ValueError(
            f"{name} is no URL, such as http://127.0.0.1:8080/hub; the port is at most {_LAST_PORT}."
        ) from None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise ValueError(f"{name} is to begin with http:// or https://, a host, and a port that isn't 0.")
    if "@" in parts.netloc:
        raise ValueError(f"{name} is to have no user and no password: credentials don't belong there.")
    if not remote and not _is_local(host):
        raise ValueError(f"{name}: {host} is not this machine: REMOTE=1 says that its owner agrees.")
    return text


def key(name: str, text: str) -> str:
    """Return a key, which has to fit into a header."""
    if not text or not text.isprintable() or text != text.strip():
        raise ValueError(f"{name} is to be printable, without spaces before or after it.")
    return text


def address(name: str, text: str) -> tuple[str, int]:
    """Return a host and a port to listen at."""
    host, _, port = text.rpartition(":")
    try:
        if host.encode("idna") and len(port) <= _DIGITS and port.isdecimal() and int(port) <= _LAST_PORT:
            return host, int(port)
    except UnicodeError:
        pass
    raise ValueError(f"{name} is host:port, such as 127.0.0.1:8099.")


def number(name: str, text: str) -> float:
    """Return a number above 0."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < math.inf:
        raise ValueError(f"{name} is a number above 0.")
    return found


def folder(name: str, text: str) -> Path:
    """Return a folder, which is there then."""
    try:
        Path(text).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{name}={text}: {error.strerror or error}") from None
    return Path(text)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
