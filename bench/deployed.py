"""Row aws.5: `make check-deployment` on the local stack, the outage of six minutes and all."""

from collections.abc import Collection, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from acceptance.__main__ import check, local
from bench.row import Row, Say
from local import stack

IDS = ("aws.5",)

_CLAIM = "make check-deployment finds the local stack right in all that can be shown there"


def rows(progress: Say, wanted: Collection[str] = IDS) -> Iterator[Row]:
    """Check a stack of its own; the value is the number of checks that failed."""
    if not set(IDS).intersection(wanted):
        return
    with TemporaryDirectory() as folder:
        try:
            lines = check(local(stack.up(Path(folder))), live=False, say=progress)
        finally:
            stack.down(Path(folder))
    failed = sum(line.finding.ok is False for line in lines)
    yield Row("aws.5", _CLAIM, failed, "checks that failed", 0, ok=not failed)
