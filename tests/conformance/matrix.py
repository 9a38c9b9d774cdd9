"""Makes every check of a hub on a supplier of the gallery."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.checks.catalogue import CHECKS
from conformance.checks.check import Need, Outcome
from conformance.checks.running import run_checks
from conformance.gallery.server import serving
from conformance.gallery.supplier import KEY, OTHER_KEY, Supplier
from conformance.gallery.ways import Ways
from conformance.hubs import HUBS
from conformance.push_server import PushServer
from conformance.trial import Settings

RETRY = 0.2
SETTINGS = Settings(
    url="",
    key=KEY,
    other_key=OTHER_KEY,
    destructive=True,
    outlive=0.5,
    retry=RETRY,
    tolerance=0.15,
    soon=0.5,
    poll=1.0,
    most=4,
    many=8,
    at_once=8,
    within=0.7,
    timeout=5.0,
    per_second=100_000.0,
)


@dataclass(frozen=True, slots=True)
class Case:
    """A supplier of a hub, with such ways and so wrong about the hub, and the checks that should fail."""

    title: str
    hub: str
    ways: Ways = field(default_factory=Ways)
    believes: Mapping[str, Any] = field(default_factory=dict)
    caught: frozenset[str] = frozenset()
    only: frozenset[str] | None = None
    """The checks that are made, None for all."""

    def __str__(self) -> str:
        return f"{self.title} - {self.hub}"


@dataclass(frozen=True, slots=True)
class Found:
    """The checks that failed and that were not run, each with why, and what could not be tidied up."""

    failed: Mapping[str, str]
    not_run: Mapping[str, str]
    left: tuple[object, ...]


def found(case: Case) -> Found:
    # Where no check is of pushes, none is looked at: it took time in hundreds of runs.
    has_pushes = case.only is None or any(Need.PUSH in CHECKS[name].needs for name in case.only)
    with PushServer() if has_pushes else nullcontext() as pushes:
        url = pushes.url if pushes else None
        supplier = Supplier(replace(HUBS[case.hub], **case.believes), case.ways, url, RETRY)
        with serving(supplier) as url:
            key, other_key = supplier.keys
            settings = replace(SETTINGS, url=url, key=key, other_key=other_key, pushes=pushes, sms=supplier.receive)
            results = run_checks(HUBS[case.hub], settings, only=case.only)
    ended = {outcome: {each.check.name: each.why for each in results if each.outcome is outcome} for outcome in Outcome}
    left = tuple(one for each in results for one in each.left)
    return Found(ended[Outcome.FAILED], ended[Outcome.NOT_RUN], left)
