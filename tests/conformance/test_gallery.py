"""Each wrong supplier is caught by just the checks that its fault says, and nothing is held against a right one, however odd."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, wait
from typing import Any

import pytest

from conformance.checks.catalogue import CHECKS
from conformance.checks.check import Need
from conformance.gallery.faults import FAULTS, MUCH_AT_ONCE, ODD, ODD_ANSWERS, ODD_AT, ODD_PUSHES, PUSH_FAULTS, Fault
from conformance.hubs import HUBS
from tests.conformance.matrix import Case, Found, found

OF_PUSHES = frozenset(name for name, check in CHECKS.items() if Need.PUSH in check.needs)


def made_of(fault: Fault, caught: frozenset[str]) -> frozenset[str] | None:
    """Return the checks that are made, None for all: who pushes wrongly answers as who is right does, and the other way round."""
    if fault in PUSH_FAULTS:
        return OF_PUSHES | caught
    return None if caught & OF_PUSHES else frozenset(CHECKS) - OF_PUSHES


WRONG = [
    Case(fault.title, hub, fault.ways, fault.believes, caught, made_of(fault, caught))
    for fault in (*FAULTS, *PUSH_FAULTS)
    for hub, caught in fault.caught.items()
]
RIGHT = [Case("right", hub) for hub in HUBS]
# Each at one hub in turn, and much of it at every hub.
STRANGE = [
    *(
        Case(title, [*HUBS][turn % len(HUBS)], ways, only=only)
        for odd, only in ((ODD, None), (ODD_ANSWERS, frozenset(CHECKS) - OF_PUSHES), (ODD_PUSHES, OF_PUSHES))
        for turn, (title, ways) in enumerate(odd.items())
    ),
    *(Case(title, hub, ways) for hub, odd in ODD_AT.items() for title, ways in odd.items()),
    *(Case("much at once", hub, MUCH_AT_ONCE) for hub in HUBS),
]
# What a machine that is busy otherwise makes late: made again when the others are done.
TIMED = ("push-", "outlives", "lives-on", "answers-in-time", "counts-follow")

type Finding = Callable[[Case], Found]


@pytest.fixture(scope="module")
def finding(request: pytest.FixtureRequest) -> Iterator[Finding]:
    """Make all the selected runs at the same time: they mostly wait."""
    selected = [item for item in request.session.items if isinstance(item, pytest.Function)]
    cases: list[Any] = [item.callspec.params["case"] for item in selected if "finding" in item.fixturenames]
    processes = 5 * (os.process_cpu_count() or 1)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.conformance.matrix"])
    with ProcessPoolExecutor(processes, context) as pool:
        slowest_first = sorted(cases, key=lambda case: -case.ways.delay_s)
        running = {str(case): pool.submit(found, case) for case in slowest_first}

        def of(case: Case) -> Found:
            first = running[str(case)].result()
            differing = {*first.failed} ^ case.caught
            if differing and all(name.startswith(TIMED) for name in differing):
                wait(running.values())
                return pool.submit(found, case).result()
            return first

        yield of


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_a_fault_is_caught_by_just_these_checks(case: Case, finding: Finding) -> None:
    assert {*finding(case).failed} == case.caught


@pytest.mark.parametrize("case", RIGHT, ids=str)
def test_a_right_supplier_passes_every_check(case: Case, finding: Finding) -> None:
    assert finding(case) == Found({}, {}, ())


@pytest.mark.parametrize("case", STRANGE, ids=str)
def test_nothing_is_held_against_what_is_odd(case: Case, finding: Finding) -> None:
    assert finding(case).failed == {}


def test_each_check_catches_a_fault_and_each_fault_is_caught() -> None:
    assert frozenset().union(*(case.caught for case in WRONG)) == CHECKS.keys()
    assert all(case.caught for case in WRONG)
    titles = [fault.title for fault in (*FAULTS, *PUSH_FAULTS)]
    assert len({*titles}) == len(titles) >= 30
