"""The console in a browser: starting one, signing in, and what must hold of every page."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Playwright, Request, expect

from local.browser import CHROMIUM
from local.failure import LocalError
from local.place import NODE, REPOSITORY
from local.stack import Stack

NARROW, WIDE = 360, 1280
HEIGHT = 900
type Scheme = Literal["light", "dark"]

# The first call of a function waits for its start, on a slow machine for long (ms).
PATIENCE = 30_000

_AXE = REPOSITORY / "console" / "node_modules" / "axe-core" / "axe.min.js"
_STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
_QUIETER = ["--disable-component-update", "--disable-sync"]
# The browser reports each answer that is no success; whether it should have been one is for the test to say.
_ANSWERS = "Failed to load resource"

# Once in a tab, whose name outlives every load: who signs out there stays signed out.
_SIGN_IN = """((place, session) => {
  if (!window.name) sessionStorage.setItem(place, session);
  window.name = "signed in";
})"""
_SPOIL = """([place, refreshable]) => {
  const kept = JSON.parse(sessionStorage.getItem(place));
  kept.id = kept.id.slice(0, -8) + "AAAAAAAA";
  if (!refreshable) kept.refresh = "ended";
  sessionStorage.setItem(place, JSON.stringify(kept));
}"""


def launch(playwright: Playwright) -> Browser:
    """Start the Chromium that $CHROMIUM names, else the one that `make browser` found. Raises LocalError."""
    named = os.environ.get("CHROMIUM")
    if not named and not CHROMIUM.exists():
        raise LocalError("The tests in the browser need a Chromium.", how="Find or fetch one: make browser")
    args = [*_QUIET, *_QUIETER, "--no-proxy-server"]
    return playwright.chromium.launch(executable_path=named or str(CHROMIUM), args=args)


def node(script: str, *arguments: str, given: bytes = b"") -> Any:
    """Return what a script of the console's sources writes, which is JSON."""
    command = [str(NODE), "--no-warnings", "--input-type=module", "--eval", script, *arguments]
    done = subprocess.run(command, input=given, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def press(where: Page | Locator, *names: str) -> None:
    """Press buttons, one after another."""
    for name in names:
        where.get_by_role("button", name=name, exact=True).click()


def confirm(page: Page, question: str, answer: str) -> None:
    """Press a button and then, in the dialog that it opens, the one that does it."""
    press(page, question)
    press(page.get_by_role("dialog"), answer)


def fill(form: Page | Locator, fields: dict[str, str], then: str | None = None) -> None:
    """Type texts into fields by their labels, then press a button."""
    for label, text in fields.items():
        form.get_by_label(label).fill(text)
    if then:
        press(form, then)


def shows(where: Locator, *texts: str | re.Pattern[str], timeout: float | None = None) -> None:
    """Wait until all texts are there."""
    for text in texts:
        expect(where).to_contain_text(text, timeout=timeout)


def shows_page(page: Page, title: str) -> None:
    """Wait until a page is shown, by its heading."""
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()


def copied(shown: Locator, name: str) -> str:
    """Press a copy button; return what is on the clipboard then."""
    press(shown, f"Copy: {name}")
    expect(shown.get_by_role("button", name=f"Copied: {name}")).to_be_visible()
    text: str = shown.page.evaluate("navigator.clipboard.readText()")
    return text


@dataclass
class Console:
    """The console in a browser window of its own, and what went wrong in it."""

    stack: Stack
    context: BrowserContext
    page: Page
    # What a tab keeps of somebody who has signed in; None has it done by hand.
    session: str | None = None
    faults: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    @classmethod
    @contextmanager
    def opened(
        cls,
        browser: Browser,
        stack: Stack,
        *,
        width: int = WIDE,
        scheme: Scheme = "light",
        session: str | None = None,
    ) -> Iterator[Self]:
        """Open a window. At its end it fails if the page had a fault: an error, or a violation of its policy."""
        context = browser.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
        context.set_default_timeout(PATIENCE)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        console = cls(stack, context, context.new_page(), session)
        if session:
            console.page.add_init_script(f"{_SIGN_IN}({json.dumps(console.kept_in)}, {json.dumps(session)})")
        console._watch(console.page)
        try:
            yield console
            assert not console.faults, console.faults
        finally:
            context.close()

    @property
    def url(self) -> str:
        return f"{self.stack.api}/console/"

    @property
    def kept_in(self) -> str:
        """Where in its sessionStorage a tab keeps who is signed in at this stack."""
        return f"globalconnect.session {self.stack.api}"

    def kept(self, page: Page | None = None) -> dict[str, Any] | None:
        """Return what a tab keeps of who is signed in, None when nobody is."""
        kept = (page or self.page).evaluate("place => JSON.parse(sessionStorage.getItem(place))", self.kept_in)
        return None if kept is None else dict(kept)

    def another_tab(self) -> Page:
        """Return another tab of the same window, on a blank page."""
        page = self.context.new_page()
        self._watch(page)
        return page

    def open(self, route: str = "", page: Page | None = None) -> None:
        """Load the console at a route, as `/partners`."""
        (page or self.page).goto(f"{self.url}#{route}")

    def sign_in(self, name: str | None = None, password: str | None = None, page: Page | None = None) -> None:
        """Sign in where the sign-in page is shown, as the local user if nobody is named."""
        page = page or self.page
        page.get_by_label("Email").fill(name or self.stack.admin_user)
        page.get_by_label("Password").fill(password or self.stack.admin_password)
        page.get_by_role("button", name="Sign in").click()

    def enter(self, route: str = "/services") -> Page:
        """Load a route, signed in; gives the page when it is there."""
        self.open(route)
        if self.session is None:
            self.sign_in()
        self.settle()
        return self.page

    def go(self, route: str, page: Page | None = None) -> None:
        """Go to a route within the console that is open, and wait until its data is there."""
        (page or self.page).evaluate("route => { location.hash = route }", route)
        self.settle(page)

    def reload(self) -> None:
        """Load the page again, and wait until its data is there."""
        self.page.reload()
        self.settle()

    def settle(self, page: Page | None = None) -> None:
        page = page or self.page
        expect(page.locator("main h1")).to_be_visible(timeout=PATIENCE)
        # Where it is narrow, it is in the menu that is closed.
        expect(page.locator("button", has_text="Sign out")).to_be_attached(timeout=PATIENCE)
        expect(page.get_by_text("Loading…")).to_have_count(0, timeout=PATIENCE)

    def end_session(self, page: Page | None = None, *, refreshable: bool = False) -> None:
        """Make the tokens that a tab holds worthless, as time would."""
        (page or self.page).evaluate(_SPOIL, [self.kept_in, refreshable])

    def axe(self) -> list[str]:
        """Return what axe finds wrong with the page as it is now, one line each."""
        # Through the browser's own protocol: the page's policy lets no script in, and stays as strict as it is.
        session = self.context.new_cdp_session(self.page)
        session.send("Runtime.evaluate", {"expression": _AXE.read_text(encoding="utf-8")})
        options = json.dumps({"runOnly": _STANDARDS, "resultTypes": ["violations"]})
        run = f"axe.run(document, {options}).then(found => JSON.stringify(found.violations))"
        answer = session.send("Runtime.evaluate", {"expression": run, "awaitPromise": True, "returnByValue": True})
        session.detach()
        assert "exceptionDetails" not in answer, answer
        violations: list[dict[str, Any]] = json.loads(answer["result"]["value"])
        return [
            f"{one['id']}: {one['help']}: {node['html']} {node.get('failureSummary', '')}"
            for one in violations
            for node in one["nodes"]
        ]

    def transferred(self) -> int:
        """Return how many bytes came over the wire for all that was loaded so far, headers and all."""
        sizes = [request.sizes() for request in self.requests]
        return sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)

    def fits(self, width: int) -> bool:
        """Tell whether the page is no wider than a window of this width, which it then has."""
        self.page.set_viewport_size({"width": width, "height": HEIGHT})
        return self.overflow() == 0

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        width = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return int(width)

    def _watch(self, page: Page) -> None:
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        # Playwright notes something on what it calls, which a list's own method can't hold.
        page.on("requestfinished", lambda request: self.requests.append(request))  # noqa: PLW0108

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_ANSWERS):
            self.faults.append(message.text)
