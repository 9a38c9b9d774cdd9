"""Every minute: let go of numbers whose lease has run out, queue pushes that lost their message, measure the backlog, place
the SMS that waited for something that has come by now, and see who has fallen silent.
"""

from typing import Any

from globalconnect.inbound.waiting import finish_whole, place_waiting
from globalconnect.runtime.metrics import publish_lines, publish_waiting
from sweep.wiring import inbound_parts, parts, silence

# Of what waits, in a minute. Whose lines staff map they place themselves: this is for what came in just then, and for what
# they had no time for.
_MOST = 1_000
_next: dict[str, str | None] = {"cursor": None}


def handler(_event: dict[str, Any], _context: object) -> None:
    """Sweep once. A failure is raised, and nothing measured then; the next minute takes up what was left."""
    sweep = parts()
    swept = sweep.run()
    waiting = swept.waiting
    publish_waiting({one.partner_id: one.age for one in waiting}, sum(one.without_success for one in waiting))
    sweep.statistics.put_pending(swept.note)
    # Where the last minute came to, if this environment knows.
    _next["cursor"] = place_waiting(inbound_parts(), _MOST, cursor=_next["cursor"]).cursor
    finish_whole(inbound_parts(), _MOST)
    publish_lines(silence().run())
