"""What the octets of an SMS say: GSM-7 and the character sets that Python knows (3GPP TS 23.038)."""

from collections.abc import Iterator

# One septet in an octet each, as gateways hand them on.
GSM7 = "gsm7"
# It is UTF-16 since there are emoji.
UCS2 = "utf-16-be"
LATIN1 = "latin-1"
ISO8859_5 = "iso8859-5"
ISO8859_8 = "iso8859-8"
UTF8 = "utf-8"
ASCII = "ascii"

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_ESCAPE = 0x1B


def decoded(octets: bytes, charset: str) -> str:
    """Return the text that octets spell; what spells nothing becomes U+FFFD."""
    if charset == GSM7:
        return "".join(_septets(octets))
    return octets.decode(charset, "replace")


def _septets(octets: bytes) -> Iterator[str]:
    septets = iter(octets)
    for septet in septets:
        if septet != _ESCAPE:
            yield _basic(septet)
            continue
        # What the extension doesn't have is shown as the basic table's character; an escape of nothing as a space.
        escaped = next(septets, _ESCAPE)
        yield _EXTENSION.get(escaped) or (" " if escaped == _ESCAPE else _basic(escaped))


def _basic(septet: int) -> str:
    return _BASIC[septet] if septet < len(_BASIC) else "\N{REPLACEMENT CHARACTER}"
