"""Which Push URLs we accept, and which addresses a push may reach (contract 3, last rule).

Pure: no look-ups. A URL that *spells* an address inside is refused here; a *name* that leads inside can only be caught
when it is resolved, which `globalconnect.push.guard` does at every attempt with `is_public_address`.
"""

import ipaddress
import re
from urllib.parse import urlsplit

from globalconnect.domain.errors import InvalidInput

MAX_LENGTH = 2048
LOOPBACK_ADDRESS = "127.0.0.1"
LOOPBACK_NAME = "localhost"
_LOOPBACK_HOSTS = frozenset({LOOPBACK_ADDRESS, LOOPBACK_NAME})

_LAST_PORT = 65535
# Ports of other protocols, whose servers could be made to take a push for something else. Browsers refuse the same:
# https://fetch.spec.whatwg.org/#port-blocking
_BAD_PORTS = frozenset(
    {1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109}
    | {110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530}
    | {531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190}
    | {5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080}
)

_SCHEME = re.compile(r"(https?)://", re.ASCII | re.IGNORECASE)
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:]*)(?P<port>:.*)?", re.ASCII)
_PORT = re.compile(r":([1-9][0-9]{0,4})", re.ASCII)
# RFC 3986 plus [ ], which PHP partners write in query strings; everything else has to arrive percent-encoded, because
# the URL is put on the wire exactly as it is stored.
_PATH_AND_QUERY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
# The last label starts with a letter, so no spelling of an IPv4 address (decimal, hex, octal, short) passes for a name.
_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?", re.ASCII)
_OCTET = r"(?:0|[1-9][0-9]{0,2})"
_DOTTED_DECIMAL = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}", re.ASCII)
_INSIDE_SUFFIXES = (".localhost", ".local", ".internal")

# What the standard library calls global and a push must not reach all the same.
_IPV4_INSIDE = (
    ipaddress.IPv4Network("192.0.0.0/24"),  # IETF protocol assignments; one cloud's metadata lives at .192
    ipaddress.IPv4Network("192.88.99.0/24"),  # 6to4 relays
    ipaddress.IPv4Network("224.0.0.0/4"),  # multicast
)
# IPv6 is the other way round: only unicast space that is handed out today, so whatever wraps an IPv4 address
# (mapped, compatible, NAT64) and whatever is local falls outside without being named.
_IPV6_UNICAST = ipaddress.IPv6Network("2000::/3")
_IPV6_INSIDE = (
    ipaddress.IPv6Network("2001::/23"),  # IETF protocol assignments, Teredo among them
    ipaddress.IPv6Network("2002::/16"),  # 6to4
    ipaddress.IPv6Network("3fff::/20"),  # documentation
)


def check_push_url(url: str, name: str, *, loopback: bool, https_only: bool = False) -> str:
    """Return a URL that is to be set as it is to be stored: as `read_push_url` gives it.

    Takes its name as the caller knows it, whether this deployment lets partners listen on 127.0.0.1 (the local stack
    only, contract 6), there on any port, and whether it refuses plain http. A URL that was stored before those rules is
    pushed to all the same.

    Raises InvalidInput as `read_push_url`, and for a port or a scheme that we don't take.
    """
    read = read_push_url(url, name, loopback=loopback)
    parts = urlsplit(read)
    if https_only and parts.scheme != "https":
        raise InvalidInput(name, "expected a URL that starts with https://")
    if parts.port in _BAD_PORTS and not (loopback and parts.hostname in _LOOPBACK_HOSTS):
        raise InvalidInput(name, "expected a port that browsers don't refuse as one of another protocol")
    return read


def read_push_url(url: str, name: str, *, loopback: bool) -> str:
    """Return `url` as it is used: scheme and host in lower case, the rest as it was written.

    With `loopback`, exactly `127.0.0.1` and `localhost` pass too.

    Raises InvalidInput for `name` when the URL is not http(s), carries credentials or a fragment, has no
    readable port, or spells an address that is not public, in any notation (contract 3). An address is accepted
    only in its plain form, and an international name only in its xn-- form: what nobody can misread, nobody can use
    to be read in two ways.
    """
    if not 0 < len(url) <= MAX_LENGTH:
        raise InvalidInput(name, f"expected a URL of 1 to {MAX_LENGTH} characters")
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        raise InvalidInput(
            name,
            "expected printable ASCII without spaces or backslashes (percent-encode anything else; a host name in its xn-- form)",
        )
    if "#" in url:
        raise InvalidInput(name, "expected a URL without a fragment (#)")
    scheme = _SCHEME.match(url)
    if scheme is None:
        raise InvalidInput(name, "expected a URL that starts with http:// or https://")

    authority, path_and_query = _split(url[scheme.end() :])
    if "@" in authority:
        raise InvalidInput(name, "expected a URL without a user or password")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise InvalidInput(name, "expected a URL with a readable host and port")
    host = _check_host(parts["host"].lower(), name, loopback=loopback)
    port = parts["port"] or ""
    _check_port(port, name)
    if _PATH_AND_QUERY.fullmatch(path_and_query) is None:
        raise InvalidInput(name, "expected a path and query in which special characters are percent-encoded")
    return f"{scheme[1].lower()}://{host}{port}{path_and_query}"


def is_plain_http(url: str) -> bool:
    """Return whether what goes to a stored URL can be read on its way, the key in it too."""
    return url.startswith("http://")


def is_public_address(address: str, *, loopback: bool) -> bool:
    """Return whether a push may connect to `address`, the text form of a resolved IPv4 or IPv6 address.

    Takes `loopback` as `read_push_url` does; it adds 127.0.0.1 and nothing else. What can't be read as an address is
    not public. Never raises.
    """
    if loopback and address == LOOPBACK_ADDRESS:
        return True
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if not parsed.is_global:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _IPV4_INSIDE)
    return (
        parsed.scope_id is None and parsed in _IPV6_UNICAST and not any(parsed in network for network in _IPV6_INSIDE)
    )


def _split(after_scheme: str) -> tuple[str, str]:
    """Cut where the authority ends. A path that is missing comes back as `/`, an empty query as none."""
    end = re.search(r"[/?]", after_scheme)
    if end is None:
        return after_scheme, "/"
    authority, rest = after_scheme[: end.start()], after_scheme[end.start() :]
    path, _, query = rest.partition("?")
    return authority, f"{path or '/'}?{query}" if query else path or "/"


def _check_host(host: str, name: str, *, loopback: bool) -> str:
    if not host:
        raise InvalidInput(name, "expected a URL with a host")
    if loopback and host in _LOOPBACK_HOSTS:
        return host
    if host.startswith("["):
        return _check_ipv6(host[1:-1], name)
    if _DOTTED_DECIMAL.fullmatch(host):
        return _check_public(host, name)
    if host == LOOPBACK_NAME or host.endswith(_INSIDE_SUFFIXES):
        raise InvalidInput(name, "expected a host outside, not localhost, *.localhost, *.local or *.internal")
    if _NAME.fullmatch(host) is None:
        raise InvalidInput(
            name,
            "expected a full host name without a trailing dot, a dotted-decimal IPv4 address or an IPv6 address in brackets",
        )
    return host


def _check_ipv6(address: str, name: str) -> str:
    # The dotted tail is one more way to spell an IPv4 address, and a zone (%) names an interface of ours.
    if "." in address or "%" in address:
        raise InvalidInput(name, "expected an IPv6 address without a dotted part and without a zone")
    try:
        plain = ipaddress.IPv6Address(address).compressed
    except ValueError:
        raise InvalidInput(name, "expected a valid IPv6 address in brackets") from None
    return f"[{_check_public(plain, name)}]"


def _check_public(address: str, name: str) -> str:
    if not is_public_address(address, loopback=False):
        raise InvalidInput(name, "expected a public address")
    return address


def _check_port(port: str, name: str) -> None:
    """Take the port as written, with its colon, or nothing."""
    if not port:
        return
    number = _PORT.fullmatch(port)
    if number is None or int(number[1]) > _LAST_PORT:
        raise InvalidInput(name, f"expected a port of 1 to {_LAST_PORT}")
