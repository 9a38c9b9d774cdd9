"""Every night: compare numbers with the counts per pool and partner, put right what is off, and say so."""

from typing import Any

from globalconnect.runtime.metrics import publish_recount
from recount.wiring import parts


def handler(_event: dict[str, Any], _context: object) -> None:
    """Recount once. A failure is raised; what was put right until then is right."""
    publish_recount(parts().run().off)
