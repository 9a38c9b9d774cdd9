"""Long SMS that come in parts: which parts make one, and what it says (contract 4)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from globalconnect.domain.ids import ActivationId, SourceId
from globalconnect.domain.inbound import InboundSms, SmsPart
from globalconnect.domain.times import DAY, MINUTE

# A reference is often one octet, and comes back: after this long another SMS has it.
OPEN_FOR = DAY
# An SMS that lacks parts for longer is worth a look.
OVERDUE_AFTER = 10 * MINUTE
MOST_PARTS = 255


@dataclass(frozen=True, slots=True)
class KeptPart:
    """What a part says, under which id at the gateway, and when that says to have received it (ms)."""

    content: bytes = field(repr=False)
    charset: str
    provider_id: str | None = field(default=None, repr=False)
    stated_at: int | None = None
    stated_to: int | None = None


@dataclass(frozen=True, slots=True)
class LongSms:
    """A long SMS of which parts have come: `sms` is what all of them have, `parts` are by number, from 1 to `total`.

    `began_at` (ms) is when the first of them reached us, and `holder` is who held its number then, as far as that is known.
    `is_joined`: all have come, and it was stored as an SMS.
    """

    name: str
    source_id: SourceId
    sms: InboundSms
    total: int
    began_at: int
    parts: Mapping[int, KeptPart]
    holder: ActivationId | None = None
    version: int = 1
    is_joined: bool = False

    @property
    def is_complete(self) -> bool:
        return len(self.parts) == self.total


class PartStep(StrEnum):
    """What a part is to what has come before under the same reference."""

    BEGINS = "begins another SMS"
    ADDS = "adds to it"
    REPEATS = "came before"


def name_of(part: SmsPart, source_id: SourceId) -> str:
    """Return what the parts of one SMS have in common, as a digest."""
    common = [source_id, part.sms.destination, part.sms.phone_from, part.reference, part.total]
    return hashlib.sha256(json.dumps(common).encode()).hexdigest()


def kept_part(part: SmsPart) -> KeptPart:
    sms = part.sms
    return KeptPart(part.content, part.charset, sms.provider_id, sms.stated_at, sms.stated_to)


@dataclass(frozen=True, slots=True)
class PartIdentity:
    """What tells a part from every other, as a digest. Without an id it may come again in another SMS, once its reference
    has come back.
    """

    digest: str
    has_id: bool


def identity_of_part(name: str, part: SmsPart) -> PartIdentity:
    """Return what tells a part of the SMS of a name: its place, its words, and its id."""
    provider_id = part.sms.provider_id
    told = [name, part.number, provider_id, part.charset, part.content.hex()]
    return PartIdentity(hashlib.sha256(json.dumps(told).encode()).hexdigest(), provider_id is not None)


def step_for(
    known: LongSms | None, part: SmsPart, now: int, holder: ActivationId | None, *, came_before: bool
) -> PartStep:
    """Decide what a part is that came at `now` (ms), when `holder` held its number; `came_before`: itself, be it for an SMS
    that another has replaced.

    The same words in a place that waits for no others are a repeat, whatever their id. What comes to one buyer is never
    joined with what came before the sale: that would be another's to read.
    """
    if came_before:
        return PartStep.REPEATS
    if known is None or known.is_joined or now >= known.began_at + OPEN_FOR:
        return PartStep.BEGINS
    if holder is not None and holder != known.holder:
        return PartStep.BEGINS
    there = known.parts.get(part.number)
    if there is None:
        return PartStep.ADDS
    is_same = (there.content, there.charset) == (part.content, part.charset)
    return PartStep.REPEATS if is_same else PartStep.BEGINS


def joined(long: LongSms, text: str) -> InboundSms:
    """Return a long SMS whose parts have all come and say a text, as one.

    It was received when the first of them was, as far as that is stated. Its id is made of theirs, if each has one.
    """
    parts = [long.parts[number] for number in sorted(long.parts)]
    ids = [part.provider_id for part in parts if part.provider_id is not None]
    stated = [(part.stated_at, part.stated_to) for part in parts if part.stated_at is not None]
    at, to = min(stated, key=lambda one: one[0]) if stated else (None, None)
    provider_id = "\n".join(ids) if len(ids) == len(parts) else None
    return replace(long.sms, text=text, provider_id=provider_id, stated_at=at, stated_to=to)
