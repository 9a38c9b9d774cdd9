"""How the console writes figures: `duration` and the steps of an axis of time."""

import json
from typing import Any

from local.place import REPOSITORY
from tests.browser.driving import node

FIGURES = REPOSITORY / "console" / "src" / "figures.ts"
LENGTHS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "days": 86_400_000}
# So many steps fit into the height of a plot.
MOST_STEPS = 5
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


def ran(script: str) -> Any:
    return node(f"import * as figures from {json.dumps(str(FIGURES))}; process.stdout.write(JSON.stringify({script}));")


def durations(times: list[int]) -> list[str]:
    written: list[str] = ran(f"{json.dumps(times)}.map(figures.duration)")
    return written


def length(shown: str) -> float:
    number, unit = shown.replace(",", "").split(" ")
    return float(number) * LENGTHS[unit]


def test_a_duration_is_rounded_and_not_cut() -> None:
    shown = {
        0: "0 ms",
        999: "999 ms",
        1_449: "1.4 s",
        59_400: "59 s",
        59_600: "1 min",
        90 * SECOND: "1.5 min",
        119 * SECOND: "2 min",
        500 * SECOND: "8.3 min",
        59 * MINUTE + 45 * SECOND: "1 h",
        119 * MINUTE: "2 h",
        47 * HOUR: "47 h",
        71 * HOUR: "3 days",
        1_234 * DAY: "1,234 days",
    }
    assert dict(zip(shown, durations(list(shown)), strict=True)) == shown


def test_a_duration_is_within_a_twentieth_of_what_it_tells() -> None:
    times = [round(1.07**power) for power in range(350)]
    shown = dict(zip(times, durations(times), strict=True))
    assert {time: told for time, told in shown.items() if abs(length(told) - time) > time / 20} == {}


def test_every_label_of_an_axis_of_time_is_exact() -> None:
    steps: list[int] = ran("figures.DURATION_STEPS")
    assert steps == sorted(set(steps))
    lines = [step * many for step in steps for many in range(MOST_STEPS + 1)]
    assert [length(shown) for shown in durations(lines)] == lines
