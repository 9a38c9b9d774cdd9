"""Contract 3, last rule: a Push URL that spells an address inside, in any notation, is refused when it is set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.push_url import (
    MAX_LENGTH,
    check_push_url,
    is_plain_http,
    is_public_address,
    read_push_url,
)

# As of https://fetch.spec.whatwg.org/#port-blocking, without port 0, which is none.
STANDARD_BAD_PORTS = 82


def refused(url: str, *, loopback: bool = False, https_only: bool = False) -> bool:
    try:
        check_push_url(url, "pushUrl", loopback=loopback, https_only=https_only)
    except InvalidInput:
        return True
    return False


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        pytest.param("https://partner.example/push", "https://partner.example/push", id="plain"),
        pytest.param("http://partner.example", "http://partner.example/", id="path-is-added"),
        pytest.param("http://partner.example?a=1", "http://partner.example/?a=1", id="path-is-added-before-a-query"),
        pytest.param("http://partner.example/a?", "http://partner.example/a", id="empty-query-is-dropped"),
        pytest.param("HTTPS://Partner.Example/Push?Key=A", "https://partner.example/Push?Key=A", id="lower-case-host"),
        pytest.param("https://partner.example:443/", "https://partner.example:443/", id="port-443"),
        pytest.param("http://partner.example:80/", "http://partner.example:80/", id="port-80"),
        pytest.param("http://partner.example:81/", "http://partner.example:81/", id="port-below-1024"),
        pytest.param("http://partner.example:10443/", "http://partner.example:10443/", id="any-other-port"),
        pytest.param("http://partner.example:65535/", "http://partner.example:65535/", id="last-port"),
        pytest.param("http://8.8.8.8/x", "http://8.8.8.8/x", id="public-ipv4"),
        pytest.param("http://[2A00:1450:4001::0:8a]/x", "http://[2a00:1450:4001::8a]/x", id="public-ipv6"),
        pytest.param("https://xn--e1afmkfd.xn--p1ai/", "https://xn--e1afmkfd.xn--p1ai/", id="international-name"),
        pytest.param("https://my_app.partner.example/", "https://my_app.partner.example/", id="underscore"),
        pytest.param("https://a.example/p?b[]=%2F&u=x@y:z", "https://a.example/p?b[]=%2F&u=x@y:z", id="kept-verbatim"),
        pytest.param("https://localhost.example/", "https://localhost.example/", id="localhost-as-a-label"),
        pytest.param("https://127.0.0.1.nip.io/", "https://127.0.0.1.nip.io/", id="name-is-for-the-guard"),
    ],
)
def test_push_url_outside_is_accepted(url: str, stored: str) -> None:
    assert check_push_url(url, "pushUrl", loopback=False) == stored
    assert check_push_url(stored, "pushUrl", loopback=False) == stored


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="empty"),
        pytest.param("partner.example", id="no-scheme"),
        pytest.param("//partner.example/", id="scheme-relative"),
        pytest.param("ftp://partner.example/", id="ftp"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("gopher://partner.example/", id="gopher"),
        pytest.param("javascript:alert(1)", id="javascript"),
        pytest.param("https:partner.example/", id="no-slashes"),
        pytest.param("https:/partner.example/", id="one-slash"),
        pytest.param("http+unix://partner.example/", id="unix-socket"),
        pytest.param("http\u017f://partner.example/", id="long-s-in-scheme"),
        pytest.param("https://user@partner.example/", id="user"),
        pytest.param("https://user:password@partner.example/", id="user-and-password"),
        pytest.param("https://@partner.example/", id="empty-user"),
        pytest.param("https://:@partner.example/", id="empty-user-and-password"),
        pytest.param("http://127.0.0.1%2f@partner.example/", id="address-as-user"),
        pytest.param("http://partner.example@127.0.0.1/", id="name-as-user"),
        pytest.param("https:///path", id="no-host"),
        pytest.param("https://?a=1", id="no-host-but-a-query"),
        pytest.param("https://:8443/", id="no-host-but-a-port"),
        pytest.param("https://partner.example/#top", id="fragment"),
        pytest.param("https://partner.example/#", id="empty-fragment"),
        pytest.param("https://partner.example#@127.0.0.1/", id="fragment-in-the-authority"),
        pytest.param(" https://partner.example/", id="leading-space"),
        pytest.param("https://partner.example/ ", id="trailing-space"),
        pytest.param("https://partner.example/a b", id="space"),
        pytest.param("https://partner.example/\tb", id="tab"),
        pytest.param("https://partner.example/\r\nHost: inside", id="line-break"),
        pytest.param("https://partner.example/\n", id="trailing-line-break"),
        pytest.param("https://partner.example/\x00", id="nul"),
        pytest.param("https://partner.example/\x7f", id="delete"),
        pytest.param("https://partner.example\\@127.0.0.1/", id="backslash"),
        pytest.param("https://partner.example/\u202e", id="bidi-override"),
        pytest.param("https://partner.example/%zz", id="broken-percent-escape"),
        pytest.param("https://partner.example/%2", id="half-a-percent-escape"),
        pytest.param('https://partner.example/"', id="quote"),
        pytest.param("https://partner.example/{phone}", id="braces"),
        pytest.param("https://partner.example/" + "a" * MAX_LENGTH, id="too-long"),
        pytest.param("https://partner.example:1:2/", id="two-ports"),
        pytest.param("https://[2a00:1450:4001::8a]x/", id="text-after-the-bracket"),
        pytest.param("https://[2a00:1450:4001::8a/", id="bracket-left-open"),
        pytest.param("https://2a00:1450:4001::8a/", id="ipv6-without-brackets"),
        pytest.param("https://[]/", id="empty-brackets"),
        pytest.param("https://[partner.example]/", id="name-in-brackets"),
        pytest.param("https://[v1.fe80::a]/", id="future-address"),
        *(
            pytest.param(f"http://partner.example:{port}/", id=f"port-{port!a}")
            for port in ("", "0", "00", "0080", "65536", "99999", "+80", "8o", "\u0661")
        ),
        pytest.param("http://127.0.0.1:0/", id="port-0-of-loopback"),
        pytest.param("http://127.0.0.1:65536/", id="port-of-loopback-too-large"),
    ],
)
def test_push_url_that_is_malformed_not_http_or_has_credentials_is_refused(url: str) -> None:
    assert refused(url)
    assert refused(url, loopback=True)


def test_push_url_of_exactly_the_longest_length_is_accepted() -> None:
    url = "https://partner.example/".ljust(MAX_LENGTH, "a")
    assert check_push_url(url, "pushUrl", loopback=False) == url


@pytest.mark.parametrize(
    "port", [1, 21, 22, 25, 53, 110, 143, 465, 587, 993, 2049, 4190, 5060, 6000, 6667, 6697, 10080]
)
@pytest.mark.parametrize("loopback", [False, True])
def test_push_url_port_that_browsers_refuse_is_refused_when_it_is_set_only(port: int, loopback: bool) -> None:
    url = f"http://partner.example:{port}/"
    assert refused(url, loopback=loopback)
    assert read_push_url(url, "pushUrl", loopback=loopback) == url


def test_push_url_is_accepted_on_every_port_but_those_of_the_standard() -> None:
    ports = range(1, 65536)
    assert sum(refused(f"http://partner.example:{port}/") for port in ports) == STANDARD_BAD_PORTS


@pytest.mark.parametrize("url", ["http://partner.example/", "HTTP://partner.example/", "http://127.0.0.1:8080/"])
def test_plain_http_is_refused_when_it_is_set_where_only_https_is_wanted(url: str) -> None:
    assert refused(url, https_only=True, loopback=True)
    assert not refused("https://partner.example/", https_only=True)
    assert read_push_url(url.lower(), "pushUrl", loopback=True) == url.lower()


def test_plain_http_is_told_from_https() -> None:
    assert is_plain_http(check_push_url("HTTP://partner.example/", "pushUrl", loopback=False))
    assert not is_plain_http(check_push_url("HTTPS://partner.example/http://", "pushUrl", loopback=False))


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("2130706433", id="decimal-spelling-of-loopback"),
        pytest.param("134744072", id="decimal-spelling-of-a-public-address"),
        pytest.param("0x7f000001", id="hex"),
        pytest.param("0x7f.0.0.1", id="hex-octet"),
        pytest.param("0x8.0x8.0x8.0x8", id="hex-octets-of-a-public-address"),
        pytest.param("127.0.0.0x1", id="hex-in-the-last-octet"),
        pytest.param("0177.0.0.1", id="octal-octet"),
        pytest.param("017700000001", id="octal"),
        pytest.param("010.8.8.8", id="leading-zero"),
        pytest.param("008.008.008.008", id="padded-public-address"),
        pytest.param("127.1", id="short"),
        pytest.param("127.0.1", id="three-parts"),
        pytest.param("8.8", id="short-spelling-of-a-public-address"),
        pytest.param("0", id="zero"),
        pytest.param("127.0.0.1.", id="trailing-dot"),
        pytest.param("8.8.8.8.", id="trailing-dot-after-a-public-address"),
        pytest.param("127.0.0.256", id="octet-too-large"),
        pytest.param("1.2.3.4.5", id="five-parts"),
        pytest.param("127.0.0.1%00", id="nul-after-the-address"),
        pytest.param("127.0.0.1%2f", id="percent-encoded-slash"),
        pytest.param("%31%32%37.0.0.1", id="percent-encoded-digits"),
        pytest.param("\uff11\uff12\uff17.0.0.1", id="fullwidth-digits"),
        pytest.param("127\u30020\u30020\u30021", id="ideographic-full-stops"),
        pytest.param("\u2460\u2461\u2466.0.0.1", id="circled-digits"),
        pytest.param("127.0.0.1\u200b", id="zero-width-space"),
        pytest.param("l\u24deCALHOST", id="circled-letter-in-localhost"),
        pytest.param("[::ffff:127.0.0.1]", id="v4-mapped-loopback"),
        pytest.param("[::ffff:8.8.8.8]", id="v4-mapped-public"),
        pytest.param("[::127.0.0.1]", id="v4-compatible"),
        pytest.param("[64:ff9b::169.254.169.254]", id="nat64-of-metadata"),
        pytest.param("[64:ff9b:1::10.0.0.1]", id="local-nat64"),
        pytest.param("[2a00:1450::1.2.3.4]", id="dotted-tail-of-a-public-address"),
        pytest.param("[fe80::1%eth0]", id="zone"),
        pytest.param("[2a00:1450:4001::8a%25eth0]", id="encoded-zone-of-a-public-address"),
        pytest.param("[2a00:1450:4001::8a%1]", id="zone-of-a-public-address"),
        "localhost.",
        "app.localhost",
        "metadata.google.internal",
        "ip-10-0-0-1.eu-west-1.compute.internal",
        "printer.local",
        "a.b.LOCAL",
        "intranet",
        "com",
        "partner.example.",
        "partner..example",
        ".partner.example",
        "-a.example",
        "a-.example",
        "a" * 64 + ".example",
        ".".join(["a" * 60] * 5),
        "a*b.example",
        "a,b.example",
        "partner.example%2f",
        "b\u00fccher.example",
        "127.0.0.2",
        "10.0.0.1",
        "[::1]",
    ],
)
def test_a_host_that_is_inside_or_spells_an_address_in_another_way_is_refused(host: str) -> None:
    assert refused(f"http://{host}/")
    assert refused(f"http://{host}:8080/", loopback=True)


INSIDE_IPV4 = [
    pytest.param("0.0.0.0", id="unspecified"),  # noqa: S104 - refused, not bound
    pytest.param("0.1.2.3", id="this-network"),
    pytest.param("127.0.0.2", id="loopback-other"),
    pytest.param("127.255.255.254", id="loopback-last"),
    pytest.param("10.0.0.1", id="private-10"),
    pytest.param("172.16.0.1", id="private-172-first"),
    pytest.param("172.31.255.255", id="private-172-last"),
    pytest.param("192.168.1.1", id="private-192"),
    pytest.param("169.254.169.254", id="metadata"),
    pytest.param("169.254.170.2", id="container-credentials"),
    pytest.param("100.64.0.1", id="cgnat-first"),
    pytest.param("100.127.255.255", id="cgnat-last"),
    pytest.param("192.0.0.1", id="ietf-assignments"),
    pytest.param("192.0.0.9", id="ietf-anycast"),
    pytest.param("192.0.2.1", id="documentation-1"),
    pytest.param("198.51.100.1", id="documentation-2"),
    pytest.param("203.0.113.1", id="documentation-3"),
    pytest.param("198.18.0.1", id="benchmarking"),
    pytest.param("192.88.99.1", id="6to4-relay"),
    pytest.param("224.0.0.1", id="multicast"),
    pytest.param("239.255.255.255", id="multicast-last"),
    pytest.param("240.0.0.1", id="reserved"),
    pytest.param("255.255.255.255", id="broadcast"),
]
INSIDE_IPV6 = [
    pytest.param("::", id="unspecified"),
    pytest.param("::1", id="loopback"),
    pytest.param("0:0:0:0:0:0:0:1", id="loopback-in-full"),
    pytest.param("::ffff:7f00:1", id="v4-mapped-loopback"),
    pytest.param("::ffff:808:808", id="v4-mapped-public"),
    pytest.param("::7f00:1", id="v4-compatible"),
    pytest.param("::ffff:0:7f00:1", id="v4-translated"),
    pytest.param("64:ff9b::7f00:1", id="nat64"),
    pytest.param("64:ff9b::808:808", id="nat64-of-a-public-address"),
    pytest.param("64:ff9b:1::a00:1", id="local-nat64"),
    pytest.param("2002:7f00:1::", id="6to4"),
    pytest.param("2001:0:4136:e378:8000:63bf:3fff:fdd2", id="teredo"),
    pytest.param("2001:2::1", id="benchmarking"),
    pytest.param("2001:20::1", id="orchid"),
    pytest.param("2001:db8::1", id="documentation"),
    pytest.param("3fff::1", id="documentation-new"),
    pytest.param("100::1", id="discard"),
    pytest.param("5f00::1", id="segment-routing"),
    pytest.param("fc00::1", id="unique-local"),
    pytest.param("fd00:ec2::254", id="metadata"),
    pytest.param("fd00:ec2::23", id="pod-credentials"),
    pytest.param("fe80::1", id="link-local"),
    pytest.param("fec0::1", id="site-local"),
    pytest.param("ff02::1", id="multicast"),
    pytest.param("4000::1", id="unallocated"),
]


@pytest.mark.parametrize("loopback", [False, True], ids=["cloud", "local-stack"])
@pytest.mark.parametrize("address", [*INSIDE_IPV4, *INSIDE_IPV6])
def test_an_address_inside_is_refused(address: str, loopback: bool) -> None:
    assert refused(f"http://[{address}]/" if ":" in address else f"http://{address}/", loopback=loopback)
    assert not is_public_address(address, loopback=loopback)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.0.0.1:1/push",
        "http://127.0.0.1:8080/push?a=1",
        "https://localhost:9/",
        "http://localhost/",
    ],
)
def test_loopback_is_accepted_on_any_port_on_the_local_stack_only(url: str) -> None:
    assert check_push_url(url, "pushUrl", loopback=True) == url
    assert refused(url)


def test_error_names_the_field_and_never_repeats_the_url() -> None:
    with pytest.raises(InvalidInput, match=r"^pushUrl: expected (?!.*hunter2)"):
        check_push_url("https://user:hunter2@partner.example/", "pushUrl", loopback=False)


@pytest.mark.parametrize(
    ("text", "on_the_cloud", "on_the_local_stack"),
    [
        *((text, True, True) for text in ("8.8.8.8", "1.1.1.1", "192.0.1.1", "100.128.0.1")),
        *((text, True, True) for text in ("2a00:1450:4001::8a", "2600:1f18::1")),
        ("127.0.0.1", False, True),
        *((text, False, False) for text in ("", "partner.example", "127.1", "2130706433", "8.8.8.8 ", "8.8.8.8/32")),
        *((text, False, False) for text in ("[::1]", "2a00::1%1")),
    ],
)
def test_a_resolved_address_may_be_reached_when_it_is_public_and_loopback_on_the_local_stack_only(
    text: str, on_the_cloud: bool, on_the_local_stack: bool
) -> None:
    reached = [is_public_address(text, loopback=loopback) for loopback in (False, True)]
    assert reached == [on_the_cloud, on_the_local_stack]


@given(st.text(max_size=60).map(lambda text: f"http://{text}"), st.booleans())
def test_any_text_is_stored_stable_or_refused(url: str, loopback: bool) -> None:
    try:
        stored = check_push_url(url, "pushUrl", loopback=loopback)
    except InvalidInput:
        return
    assert check_push_url(stored, "pushUrl", loopback=loopback) == stored


@given(st.ip_addresses(v=4))
def test_every_ipv4_is_accepted_exactly_when_it_is_public(address: object) -> None:
    assert refused(f"http://{address}/") != is_public_address(str(address), loopback=False)


PARTS = st.sampled_from(
    [
        "http://",
        "https://",
        "partner.example",
        "8.8.8.8",
        "127.0.0.1",
        "[2a00:1450::8a]",
        "[::1]",
        ":",
        ":8080",
        "@",
        "/",
        "//",
        "?",
        "#",
        "\\",
        "%",
        "%2f",
        "%40",
        ".",
        "..",
        "&a=1",
        "[",
        "]",
        "xn--",
        "a",
        "1",
        "0x7f",
        "-",
        "_",
        ";",
        ",",
    ],
)


@given(st.lists(PARTS, max_size=8).map(lambda parts: "http://" + "".join(parts)))
def test_the_http_library_reads_an_accepted_url_as_we_did(url: str) -> None:
    try:
        stored = check_push_url(url, "pushUrl", loopback=False)
    except InvalidInput:
        return
    read = URL(stored, encoded=True)
    authority, path_and_query = stored.removeprefix("http://").split("/", 1)
    host, _, port = (
        authority.rpartition(":") if not authority.endswith("]") and ":" in authority else (authority, "", "80")
    )
    assert read.raw_host == host.strip("[]")
    assert read.port == int(port)
    assert read.raw_path_qs == f"/{path_and_query}"
    assert read.user is None
