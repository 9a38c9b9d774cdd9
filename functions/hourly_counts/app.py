"""Every minute: count what happened by the hour, and what there is of numbers, for the overview of staff."""

from typing import Any

from hourly_counts.wiring import parts


def handler(_event: dict[str, Any], _context: object) -> None:
    """Measure once. A failure is raised; the next minute takes up what was left."""
    parts().run()
