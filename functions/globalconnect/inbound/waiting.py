"""What waits: SMS for their lines to be mapped, long SMS to be stored whose last part has come (contract 4)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from globalconnect.domain.ids import SourceId
from globalconnect.domain.inbound import WaitingSms
from globalconnect.domain.times import SECOND
from globalconnect.inbound.join import finish
from globalconnect.inbound.parts import Parts
from globalconnect.inbound.receive import place

_PAGE = 500
_THREADS = 16
_LONGEST = 15 * SECOND


@dataclass(frozen=True, slots=True)
class Placement:
    """How many SMS were placed, and where to go on; None at the end."""

    count: int
    cursor: str | None


def place_waiting(parts: Parts, most: int, source_id: SourceId | None = None, cursor: str | None = None) -> Placement:
    """Place the SMS whose lines are mapped by now, or whose source was removed, of a source or of all, the newest first.

    Looks at so many at most, and for 15 s. Safe to repeat: what broke off is taken up again. Raises Busy.
    """
    count, until = 0, parts.now() + _LONGEST
    with ThreadPoolExecutor(_THREADS) as threads:
        for _ in range(0, most, _PAGE):
            page = parts.inbox.waiting(_PAGE, cursor, parts.now())
            found, gone = _placeable(page.items, source_id, parts)
            count += sum(
                threads.map(lambda sms, gone=gone: place(sms, parts, is_given_up=sms.source_id in gone), found)
            )
            cursor = page.cursor
            if cursor is None or parts.now() >= until:
                break
    return Placement(count, cursor)


def finish_whole(parts: Parts, most: int) -> None:
    """Store the long SMS whose parts have all come, of the newest that are not stored yet: the last of them broke off
    in between. Raises Busy.
    """
    for long in parts.long_sms.incomplete(most, None, parts.now()).items:
        finish(long, parts)


def _placeable(
    waiting: Sequence[WaitingSms], source_id: SourceId | None, parts: Parts
) -> tuple[list[WaitingSms], set[SourceId]]:
    """Return those whose lines are mapped or whose sources are gone, and those sources."""
    by_source: dict[SourceId, set[str]] = {}
    for sms in waiting:
        if sms.sms.line is not None and source_id in {None, sms.source_id}:
            by_source.setdefault(sms.source_id, set()).update(sms.sms.line_names)
    mapped = {
        (of, line) for of, lines in by_source.items() for line, phone in parts.lines.phones(of, lines).items() if phone
    }
    gone = {of for of in by_source if not parts.sources.has(of)}
    placeable = [
        sms
        for sms in waiting
        if sms.source_id in gone or any((sms.source_id, name) in mapped for name in sms.sms.line_names)
    ]
    return placeable, gone
