"""Every minute: let go of numbers whose lease has run out, queue pushes that lost their message, measure the backlog."""

from typing import Any

from globalconnect.runtime.metrics import publish_waiting
from sweep.wiring import parts


def handler(_event: dict[str, Any], _context: object) -> None:
    """Sweep once. A failure is raised, and nothing measured then; the next minute takes up what was left."""
    sweep = parts()
    swept = sweep.run()
    waiting = swept.waiting
    publish_waiting({one.partner_id: one.age for one in waiting}, sum(one.without_success for one in waiting))
    sweep.statistics.put_pending(swept.note)
