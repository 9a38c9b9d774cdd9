"""A browser, the console in it, and a deployed stack behind it."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from local.place import FUNCTIONS
from local.stack import Stack
from tests.browser import driving
from tests.browser.driving import Console
from tests.browser.life import Life, live
from tests.contract.conftest import deployed, market, stack_root
from tests.contract.market import Market

__all__ = ["deployed", "market", "stack_root"]


# For this package only: while Playwright runs, no other test could have an event loop of its own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not (FUNCTIONS / "console" / "static" / "index.html").exists():
        pytest.fail("The console has not been built: make console", pytrace=False)
    expect.set_options(timeout=driving.PATIENCE)
    with sync_playwright() as playwright:
        launched = driving.launch(playwright)
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def signed_in(browser: Browser, deployed: Stack, market: Market) -> str:
    """Return what a tab keeps of somebody who has signed in."""
    with Console.opened(browser, deployed) as console:
        console.enter()
        return json.dumps(console.kept())


@pytest.fixture
def console(signed_in: str, browser: Browser, deployed: Stack) -> Iterator[Console]:
    """Return a window on a blank page, in which somebody is signed in; a fault of the page fails the test."""
    with Console.opened(browser, deployed, session=signed_in) as console:
        yield console


@pytest.fixture
def narrow(signed_in: str, browser: Browser, deployed: Stack) -> Iterator[Console]:
    """Return a window as narrow as a small telephone."""
    with Console.opened(browser, deployed, width=driving.NARROW, session=signed_in) as console:
        yield console


@pytest.fixture
def signed_out(browser: Browser, deployed: Stack, market: Market) -> Iterator[Console]:
    """Return a window in which nobody is signed in."""
    with Console.opened(browser, deployed) as console:
        yield console


@pytest.fixture(scope="session")
def life(market: Market) -> Life:
    """Return what a stack holds after some business, for pages that show something of it."""
    return live(market)
