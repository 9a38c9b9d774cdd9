"""What octets say, by the tables of 3GPP TS 23.038, and which part of a long SMS they are, by TS 23.040."""

import pytest

from globalconnect.inbound.charsets import ASCII, GSM7, ISO8859_5, ISO8859_8, LATIN1, UCS2, UTF8, decoded
from globalconnect.inbound.udh import Concatenation, concatenation_in

# As Unicode publishes it (MAPPINGS/ETSI/GSM0338.TXT): the code points from 0x00 on.
_PUBLISHED = """
0040 00A3 0024 00A5 00E8 00E9 00F9 00EC 00F2 00C7 000A 00D8 00F8 000D 00C5 00E5
0394 005F 03A6 0393 039B 03A9 03A0 03A8 03A3 0398 039E 00A0 00C6 00E6 00DF 00C9
0020 0021 0022 0023 00A4 0025 0026 0027 0028 0029 002A 002B 002C 002D 002E 002F
0030 0031 0032 0033 0034 0035 0036 0037 0038 0039 003A 003B 003C 003D 003E 003F
00A1 0041 0042 0043 0044 0045 0046 0047 0048 0049 004A 004B 004C 004D 004E 004F
0050 0051 0052 0053 0054 0055 0056 0057 0058 0059 005A 00C4 00D6 00D1 00DC 00A7
00BF 0061 0062 0063 0064 0065 0066 0067 0068 0069 006A 006B 006C 006D 006E 006F
0070 0071 0072 0073 0074 0075 0076 0077 0078 0079 007A 00E4 00F6 00F1 00FC 00E0
"""
_PUBLISHED_EXTENSION = {
    0x0A: 0x000C, 0x14: 0x005E, 0x28: 0x007B, 0x29: 0x007D, 0x2F: 0x005C,
    0x3C: 0x005B, 0x3D: 0x007E, 0x3E: 0x005D, 0x40: 0x007C, 0x65: 0x20AC,
}  # fmt: skip
_ESCAPE = 0x1B
_BASIC = [chr(int(point, 16)) for point in _PUBLISHED.split()]


def test_the_basic_table_is_the_published_one() -> None:
    assert len(_BASIC) == 128
    for septet, character in enumerate(_BASIC):
        if septet != _ESCAPE:
            assert decoded(bytes([septet]), GSM7) == character, hex(septet)


def test_the_extension_is_the_published_one_and_what_it_lacks_is_the_basic_tables_character() -> None:
    for septet, character in enumerate(_BASIC):
        if septet != _ESCAPE:
            expected = chr(_PUBLISHED_EXTENSION.get(septet, ord(character)))
            assert decoded(bytes([_ESCAPE, septet]), GSM7) == expected, hex(septet)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x1be 5015 \x1b<x\x1b>", "€ 5015 [x]"),
        (b"5015\x1b", "5015 "),
        (b"\x1b\x1b5", " 5"),
        (b"\x805\xff", "\ufffd5\ufffd"),
        (b"\x1b\xe55", "\ufffd5"),
        (b"", ""),
    ],
)
def test_an_escape_of_nothing_is_a_space_and_no_septet_is_marked(octets: bytes, text: str) -> None:
    assert decoded(octets, GSM7) == text


@pytest.mark.parametrize(
    ("charset", "octets", "text"),
    [
        (UCS2, "041A043E0434", "Код"),
        (UCS2, "06270644063106450632", "الرمز"),
        (UCS2, "D83DDE00", "\N{GRINNING FACE}"),
        (UCS2, "D83D0041", "\ufffdA"),
        (UCS2, "0041DE00", "A\ufffd"),
        (UCS2, "0041D83D", "A\ufffd"),
        (UCS2, "004104", "A\ufffd"),
        (LATIN1, "436F64E920A7", "Codé §"),
        (ISO8859_5, "BADED4A1", "КодЁ"),
        (ISO8859_8, "F7E5E3", "קוד"),
        (ISO8859_8, "41A1", "A\ufffd"),
        (ASCII, "41E9", "A\ufffd"),
        (UTF8, "D09635FF", "Ж5\ufffd"),
    ],
)
def test_octets_are_read_by_their_charset_and_what_is_none_of_it_is_marked(
    charset: str, octets: str, text: str
) -> None:
    assert decoded(bytes.fromhex(octets), charset) == text


def test_a_pair_that_is_cut_in_two_is_whole_once_its_octets_are_joined() -> None:
    octets = "a\N{GRINNING FACE}b".encode("utf-16-be")
    first, second = octets[:4], octets[4:]
    assert decoded(first, UCS2) + decoded(second, UCS2) == "a\ufffd\ufffdb"
    assert decoded(first + second, UCS2) == "a\N{GRINNING FACE}b"
    assert decoded(b"\x1b" + b"e", GSM7) == "€"


@pytest.mark.parametrize(
    ("header", "place"),
    [
        ("0500032A0201", Concatenation("2a", 2, 1)),
        ("060804012A0302", Concatenation("012a", 3, 2)),
        # Other elements before and after: ports, a language of no length.
        ("0B 0504158A0000 00032A0201", Concatenation("2a", 2, 1)),
        ("09 2400 00032A0201 2500", Concatenation("2a", 2, 1)),
        # The last one counts.
        ("0B 00032A0201 0804012A0302", Concatenation("012a", 3, 2)),
        # The header ends before the text does.
        ("0500032A020100030B0909", Concatenation("2a", 2, 1)),
        ("0500032A0000", Concatenation("2a", 0, 0)),
        ("06 0504158A0000", None),
        ("0500032A02", None),
        ("0400022A02", None),
        ("0600042A020109", None),
        ("0608032A0201", None),
        ("FF00", None),
        ("00", None),
        ("01", None),
        ("", None),
    ],
)
def test_the_place_of_a_part_is_found_among_whatever_else_a_header_says(
    header: str, place: Concatenation | None
) -> None:
    assert concatenation_in(bytes.fromhex(header)) == place


@pytest.mark.parametrize(
    ("total", "number", "is_possible"),
    [(2, 1, True), (2, 2, True), (255, 255, True), (1, 1, False), (2, 0, False), (2, 3, False), (256, 1, False)],
)
def test_a_part_is_one_of_two_or_more(total: int, number: int, is_possible: bool) -> None:
    assert Concatenation("2a", total, number).is_possible is is_possible
