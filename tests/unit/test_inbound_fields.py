"""What gateways write into fields, up to which size it is read (contract 4)."""

from itertools import pairwise

import pytest

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.inbound import InboundSms
from globalconnect.inbound.providers.fields import id_in, part_of
from globalconnect.inbound.udh import Concatenation


def test_an_id_is_kept_up_to_500_characters_and_a_longer_one_as_its_digest() -> None:
    assert id_in("x" * 500) == "x" * 500
    # Whatever their beginnings have in common, and however long they are.
    digests = [id_in(text) or "" for text in ("x" * 501, "x" * 502, "x" * 500 + "y", "\N{GRINNING FACE}" * 200_000)]
    assert {len(digest) for digest in digests} == {64}
    assert all(one != other for one, other in pairwise(sorted(digests)))
    assert id_in("x" * 501) == digests[0]


@pytest.mark.parametrize(("size", "is_read"), [(1_000, True), (1_001, False)])
def test_a_part_is_read_up_to_1000_octets(size: int, *, is_read: bool) -> None:
    def read() -> bytes:
        return part_of(
            InboundSms("447472190082", "Bank", ""), Concatenation("7", 2, 1), b"x" * size, "x", "udh"
        ).content

    if is_read:
        assert len(read()) == size
    else:
        with pytest.raises(InvalidInput, match="udh: expected a part of at most 1000 octets"):
            read()
