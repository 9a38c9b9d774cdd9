"""What the header before the text of an SMS says of the parts of a long one (3GPP TS 23.040, 9.2.3.24)."""

from dataclasses import dataclass

from globalconnect.domain.long_sms import MOST_PARTS

# How many octets the reference has in an element that says so, by its identifier.
_REFERENCES = {0x00: 1, 0x08: 2}


@dataclass(frozen=True, slots=True)
class Concatenation:
    """The place of a part in a long SMS: its `number` of `total`; `reference` is what the parts of one have in common."""

    reference: str
    total: int
    number: int

    @property
    def is_possible(self) -> bool:
        """Whether its sender keeps to the rules: from 1 to a total of 2 at least."""
        return 1 < self.total <= MOST_PARTS and 1 <= self.number <= self.total


def concatenation_in(header: bytes) -> Concatenation | None:
    """Return the place that a header states, the last one if it states several; None when it states none.

    The header begins with its length. Of one that is cut off, what is there is read.
    """
    found = None
    elements = header[1 : 1 + header[0]] if header else b""
    while len(elements) > 1:
        identifier, length = elements[:2]
        content, elements = elements[2 : 2 + length], elements[2 + length :]
        octets = _REFERENCES.get(identifier)
        if octets is not None and len(content) == length == octets + 2:
            found = Concatenation(content[:octets].hex(), *content[octets:])
    return found
