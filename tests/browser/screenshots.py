"""Writes docs/console/: every page of the console, as it looks on a stack with some life in it (`make screenshots`).

Those that a document shows are committed; .gitignore names them.
"""

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

from local import stack as stacks
from local.place import REPOSITORY
from local.stack import Stack
from tests.browser import driving
from tests.browser.driving import NARROW, WIDE, Console, Scheme
from tests.browser.life import Life, live
from tests.browser.pages import PAGES
from tests.contract.market import Market, until

TARGET = REPOSITORY / "docs" / "console"
# The first page in dark as well: the colours are the same everywhere.
LOOKS: tuple[tuple[Scheme, int], ...] = (("light", WIDE), ("light", NARROW), ("dark", WIDE))


def main() -> int:
    """Bring up a stack, do some business on it, and photograph every page."""
    os.environ["NO_PROXY"] = "127.0.0.1"
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        stack = stacks.up(root)
        try:
            with Market(stack) as market, sync_playwright() as playwright:
                market.warm_up()
                life = live(market)
                # Once a minute, and on a slow machine a little later.
                until(lambda: _counted(market), bool, seconds=240)
                photograph(driving.launch(playwright), stack, life)
        finally:
            stacks.down(root)
    return 0


def _counted(market: Market) -> bool:
    seen = market.made("GET", "/admin/statistics")
    return bool(seen["totals"]["started"] and seen["stock"]["numbers"] and seen["pushes"]["waiting"])


def photograph(browser: Browser, stack: Stack, life: Life) -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    for old in TARGET.glob("*.png"):
        old.unlink()
    for scheme, width in LOOKS:
        with Console.opened(browser, stack, width=width, scheme=scheme) as console:
            console.open()
            console.page.screenshot(path=TARGET / f"sign-in-{scheme}-{width}.png")
            console.sign_in()
            for at in PAGES if scheme == "light" else PAGES[:1]:
                console.go(at.route(life))
                # What draws the plots is loaded when it is needed.
                plots = console.page.locator(".plot")
                expect(plots.locator("canvas")).to_have_count(plots.count(), timeout=driving.PATIENCE)
                console.page.screenshot(path=TARGET / f"{at.name}-{scheme}-{width}.png")


if __name__ == "__main__":
    sys.exit(main())
