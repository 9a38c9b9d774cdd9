"""Join the parts of long SMS, in whatever order they come, and store each once it is whole (contract 4)."""

from collections.abc import Iterable
from itertools import groupby

from globalconnect.domain.errors import Busy
from globalconnect.domain.inbound import SmsPart
from globalconnect.domain.long_sms import (
    KeptPart,
    LongSms,
    PartStep,
    identity_of_part,
    joined,
    kept_part,
    name_of,
    step_for,
)
from globalconnect.inbound.charsets import decoded
from globalconnect.inbound.parts import Parts
from globalconnect.inbound.providers.fields import cut_text
from globalconnect.inbound.receive import Arrival, held_at, receive
from globalconnect.runtime.logs import Event, log
from globalconnect.store.dynamo import ConditionFailed

_TRIES = 20
_GAP = "[…]"


def join(part: SmsPart, arrival: Arrival, parts: Parts) -> None:
    """Make a part durable, and the SMS that it completes.

    Raises Busy when other parts keep coming in between: then the gateway should try again.
    """
    name, source_id = name_of(part, arrival.source_id), arrival.source_id
    identity = identity_of_part(name, part)
    for _ in range(_TRIES):
        now = parts.now()
        found = parts.long_sms.find(name, identity, arrival.payload_id, now)
        known = found.long
        at = arrival.first_at(found.unread_at)
        lease = None if found.came_before else held_at(part.sms, source_id, at, now, parts)
        holder = lease.activation_id if lease else None
        try:
            match step_for(known, part, at, holder, came_before=found.came_before):
                case PartStep.BEGINS:
                    began = LongSms(name, source_id, part.sms, part.total, at, {part.number: kept_part(part)}, holder)
                    parts.long_sms.begin(began, known, identity, now)
                    known = began
                case PartStep.ADDS if known is not None:
                    known = parts.long_sms.add(known, part, at, identity, now)
                case PartStep.REPEATS if known is not None:
                    parts.long_sms.count_repeat(known)
        except ConditionFailed:
            continue
        log(Event.PART_KEPT, source_id=source_id)
        if known is not None:
            finish(known, parts)
        return
    raise Busy


def finish(long: LongSms, parts: Parts) -> None:
    """Store a long SMS if it is whole; it reached us with its first part. Done before, it stays done. Raises Busy."""
    if not long.is_complete or long.is_joined:
        return
    receive(joined(long, cut_text(text_with_gaps(long))), Arrival(long.source_id, long.began_at), parts)
    parts.long_sms.end(long)


def text_with_gaps(long: LongSms) -> str:
    """Return what the parts say that have come, with a mark in the place of those that have not."""
    runs = groupby(range(1, long.total + 1), lambda number: number in long.parts)
    return "".join(_text([long.parts[number] for number in some]) if have else _GAP for have, some in runs)


def _text(parts: Iterable[KeptPart]) -> str:
    # Octets first: a character may be cut in two between parts of one alphabet.
    return "".join(
        decoded(b"".join(part.content for part in some), charset)
        for charset, some in groupby(parts, lambda part: part.charset)
    )
