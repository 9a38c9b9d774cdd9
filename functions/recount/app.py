"""Every night: compare numbers with the counts per pool and partner, repair what is off, and say so."""

from typing import Any

from globalconnect.runtime.metrics import Metric, publish
from recount.wiring import parts


def handler(_event: dict[str, Any], _context: object) -> None:
    """Recount once. A failure is raised; what was repaired until then is correct."""
    publish({Metric.COUNTS_OFF: [parts().run().off]})
