"""Rows deploy.2 to deploy.5: two stacks, a first deployment that breaks, a removal, and what a stranger is told.

The real commands run in a small copy of the repository, against emulators of their own; the stories and situations are
those of tests/deployment.
"""

import io
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path

from bench.row import Row, Say
from local import stack as stacks
from local.failure import LocalError
from local.progress import Progress
from tests.contract.beside import second_stack, sell_and_push
from tests.deployment import contact, stories
from tests.deployment.checkout import Checkout, an_aws

IDS = ("deploy.2", "deploy.3", "deploy.4", "deploy.5")

_CLAIMS = {
    "deploy.2": "two stacks in one account and region both sell and push",
    "deploy.3": "a first deployment that a resource broke, or that was killed, is finished by `make deploy` alone; as it "
    "was done before it is not",
    "deploy.4": "`make remove` leaves nothing but what it names, whatever protects it",
    "deploy.5": f"`make deploy` says within {contact.WITHIN_SECONDS:g} s what it does or needs",
}
# What the emulator has as it comes, and as this repository puts it right.
_EMULATORS: Mapping[str, Mapping[str, str]] = {"as AWS": {}, "as it comes": {"KEEP_PROTECTED": "0"}}


def rows(progress: Say, wanted: Collection[str] = IDS) -> Iterator[Row]:
    """Measure; the value of deploy.5 is that of the slowest situation, of the others how many went wrong."""
    with tempfile.TemporaryDirectory(prefix="deploy-") as name:
        root = Path(name)
        if "deploy.2" in wanted:
            yield _two_stacks(progress, root)
        checkout = Checkout.make_in(_made(root / "checkout"))
        if {"deploy.3", "deploy.4"} & set(wanted):
            yield from (row for row in _stories(progress, checkout, root) if row.id in wanted)
        if "deploy.5" in wanted:
            yield _first_contact(progress, checkout, root)


def _two_stacks(progress: Say, root: Path) -> Row:
    progress("deploy.2: one stack, another one beside it, a sale on each")
    first = stacks.up(root / "first", progress=Progress(io.StringIO()))
    failed = 0
    try:
        with second_stack(first, root / "second") as second, redirect_stdout(io.StringIO()):
            sell_and_push([first, second])
    except LocalError as error:
        progress(f"deploy.2: {error}")
        failed = 1
    finally:
        stacks.down(root / "first", Progress(io.StringIO()))
    return Row("deploy.2", _CLAIMS["deploy.2"], failed, "runs that failed", 0, not failed)


def _stories(progress: Say, checkout: Checkout, root: Path) -> Iterator[Row]:
    repaired: dict[str, bool] = {}
    removed: dict[str, bool] = {}
    found: dict[str, stories.Broken] = {}
    for emulator, variables in _EMULATORS.items():
        progress(f"deploy.3, deploy.4: a deployment that a resource breaks, on the emulator {emulator}")
        with an_aws(_made(root / f"broken {emulator}"), variables) as aws:
            broken = stories.broken(checkout, aws)
        progress(f"deploy.3, deploy.4: a deployment that is killed, on the emulator {emulator}")
        with an_aws(_made(root / f"killed {emulator}"), variables) as aws:
            killed = stories.killed(checkout, aws)
        found[emulator] = broken
        repaired |= {f"broken {emulator}": broken.repaired.is_good, f"killed {emulator}": killed.repaired.is_good}
        removed |= {f"broken {emulator}": broken.repaired.is_gone, f"killed {emulator}": killed.repaired.is_gone}
    before_was_stuck = found["as AWS"].before_again.code != 0
    progress(f"deploy.3: as it was done before, a second try {'fails' if before_was_stuck else 'WORKS'} on AWS")
    yield _count(progress, "deploy.3", repaired | {"before it was not": before_was_stuck})
    yield _count(progress, "deploy.4", removed)


def _count(progress: Say, row_id: str, good: Mapping[str, bool]) -> Row:
    wrong = [name for name, is_good in good.items() if not is_good]
    for name in wrong:
        progress(f"{row_id}: went wrong: {name}")
    return Row(row_id, _CLAIMS[row_id], len(wrong), f"of {len(good)} situations went wrong", 0, not wrong)


def _first_contact(progress: Say, checkout: Checkout, root: Path) -> Row:
    slowest = 0.0
    with (
        an_aws(_made(root / "new"), {"LAMBDA_ACCOUNT_CONCURRENCY": "10"}) as aws,
        contact.situations(aws) as situations,
    ):
        for name, situation in situations.items():
            seconds = contact.seconds_until_told(checkout, situation)
            progress(f"deploy.5: {name}: {seconds:.1f} s")
            slowest = max(slowest, seconds)
    limit = contact.WITHIN_SECONDS
    return Row("deploy.5", _CLAIMS["deploy.5"], round(slowest, 1), "s at most", limit, slowest <= limit)


def _made(path: Path) -> Path:
    path.mkdir()
    return path
