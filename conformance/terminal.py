"""What both commands say, and how they are called wrongly."""

import argparse
import os
import sys
from collections.abc import Sequence


def say(text: str) -> None:
    """Print a text at once; when nobody reads any more, or nothing fits any more, go on without."""
    try:
        print(text, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def read(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """Return what is given; ends with 2 for what no option is, of which nothing but its name is repeated: it may be a key."""
    parser.allow_abbrev = False
    given, others = parser.parse_known_args(arguments)
    if others:
        names = [other.partition("=")[0] for other in others if other.startswith("-")]
        parser.error(f"there is no {', '.join(names)}" if names else "a word too many")
    return given
