"""Plays a day: `python -m simulation.day --sales 100000`. Ends with 1 when something is otherwise than it should be."""

import argparse
import functools
import sys
import time

from simulation.day.play import Settings, play

_SHOWN = 50


def main() -> int:
    usual = Settings()
    parser = argparse.ArgumentParser("simulation.day", description=__doc__)
    parser.add_argument("--sales", type=int, default=usual.sales, help="about how many")
    parser.add_argument("--hours", type=float, default=usual.hours, help="how long is bought")
    parser.add_argument("--partners", type=int, default=usual.partners)
    parser.add_argument("--numbers", type=int, default=usual.numbers, help="the stock")
    parser.add_argument("--seed", type=int, default=usual.seed, help="the same plays the same again")
    asked = parser.parse_args()
    began = time.monotonic()
    say = functools.partial(print, flush=True)
    day = play(Settings(**vars(asked)), lambda text: say(f"{time.monotonic() - began:6.0f} s  {text}"))
    say(f"{time.monotonic() - began:6.0f} s  {day}")
    for line in day.differences[:_SHOWN]:
        say(line)
    return 1 if day.differences else 0


if __name__ == "__main__":
    sys.exit(main())
