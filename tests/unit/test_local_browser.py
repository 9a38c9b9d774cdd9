"""Where the browser of the tests comes from: the order, and what is said when there is none."""

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from local import browser
from local.browser import Machine, NoBrowser, Unavailable, choose
from local.progress import Progress


class Pretend:
    """A machine with some programs, on which what has one of some words in it neither starts nor works."""

    def __init__(self, *programs: str, broken: str = "nothing", **kind: Any) -> None:
        self.ran: list[str] = []
        self._programs = {Path(program).name: program for program in programs}
        self._broken = broken
        hands = {"which": self._programs.get, "run": self._run, "start": self._start}
        self._machine = Machine(**{"named": None, "kind": "Linux x86_64", "is_root": True, **hands, **kind})

    def choose(self) -> str:
        return choose(self._machine, Progress(io.StringIO()))

    def _run(self, command: Sequence[str], *_: object, **__: object) -> str:
        line = " ".join(command)
        self.ran.append(line)
        if re.search(self._broken, line):
            raise Unavailable("no such host")
        if "install --yes" in line:
            self._programs["chromium"] = "/usr/bin/chromium"
        return "/fetched/by/playwright\n"

    def _start(self, executable: str) -> None:
        if re.search(self._broken, executable):
            raise Unavailable("it does not start: no libnss3.so")


@pytest.fixture(autouse=True)
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(browser, "BROWSER", tmp_path)
    return tmp_path


APT = "/usr/bin/apt-get"


@pytest.mark.parametrize(
    ("machine", "chosen"),
    [
        (Pretend("/usr/bin/chromium", named="/opt/chromium"), "/opt/chromium"),
        (Pretend("/usr/bin/google-chrome"), "/usr/bin/google-chrome"),
    ],
    ids=["named", "on the path"],
)
def test_nothing_is_fetched_where_a_browser_starts_and_one_that_is_named_comes_first(
    machine: Pretend, chosen: str
) -> None:
    assert machine.choose() == chosen
    assert machine.ran == []


def test_a_browser_that_is_named_and_does_not_start_is_no_reason_to_take_another() -> None:
    with pytest.raises(NoBrowser, match=r"CHROMIUM=/opt/chromium: it does not start: no libnss3\.so"):
        Pretend("/usr/bin/chromium", named="/opt/chromium", broken="/opt").choose()


@pytest.mark.parametrize(
    "machine",
    [Pretend(APT), Pretend("/snap/bin/chromium", broken="snap")],
    ids=["no browser", "one that does not start"],
)
def test_npms_package_comes_before_the_systems(machine: Pretend, fetched: Path) -> None:
    executable = Path(machine.choose())
    assert executable.is_relative_to(fetched)
    assert f'exec {executable.with_name("chromium")} "$@"' in executable.read_text()
    assert [line.split()[-1] for line in machine.ran[:1]] == ["ci"]
    assert not any("apt-get" in line or "playwright" in line for line in machine.ran)


def test_what_was_fetched_from_npm_is_not_fetched_again_until_the_lock_changes_or_if_it_was_not_unpacked(
    fetched: Path,
) -> None:
    broken_off, first, again, other = Pretend(broken="--eval"), Pretend(), Pretend(), Pretend()
    broken_off.choose()
    first.choose()
    again.choose()
    (fetched / "npm" / "package-lock.json").write_text("{}")
    other.choose()
    assert [len(machine.ran) for machine in (first, again, other)] == [2, 0, 2]


@pytest.mark.parametrize(
    ("is_root", "chosen", "untouched"),
    [(True, "/usr/bin/chromium", "playwright"), (False, "/fetched/by/playwright", "apt-get")],
    ids=["root", "not root"],
)
def test_debians_package_is_next_where_root_can_install_it_and_playwrights_own_the_last(
    chosen: str, untouched: str, *, is_root: bool
) -> None:
    machine = Pretend(APT, kind="Linux aarch64", is_root=is_root)
    assert machine.choose() == chosen
    assert not any(untouched in line for line in machine.ran)


def test_without_any_it_says_what_failed_what_was_not_tried_and_what_to_type() -> None:
    with pytest.raises(NoBrowser) as failure:
        Pretend(APT, kind="Linux aarch64", is_root=False, broken="").choose()
    assert str(failure.value).splitlines() == [
        "There is no browser for the tests in the browser:",
        "  on this machine: no Chromium and no Chrome on the path",
        "  npm's package @sparticuz/chromium: not tried, the package is for Linux x86_64, and this is Linux aarch64",
        "  Debian's package chromium: not tried, only root can install it",
        "  Playwright's own Chromium: no such host",
        "Install one, as with `sudo apt-get install chromium`, or name one that is there:",
        "  CHROMIUM=/path/to/chromium make test",
    ]


def test_a_command_that_fails_tells_the_line_that_says_why(tmp_path: Path) -> None:
    script = "echo starting; echo npm error network no such host; echo npm error a log is elsewhere; exit 1"
    with pytest.raises(Unavailable, match=r"^npm error network no such host$"):
        browser.run(["sh", "-c", script], {}, tmp_path)
    with pytest.raises(Unavailable, match="No such file"):
        browser.run([str(tmp_path / "missing")])
