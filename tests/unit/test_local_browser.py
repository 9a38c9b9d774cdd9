"""Where the browser of the tests comes from: the order, and what is said when there is none."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local import browser
from local.browser import Machine, NoBrowser, Unavailable, choose
from local.progress import Progress


@dataclass
class Pretend:
    """A machine with some programs, from which some browsers start and some commands work."""

    programs: Mapping[str, str] = field(default_factory=dict)
    starting: Callable[[str], bool] = lambda _: True
    working: Callable[[str], bool] = lambda _: True
    named: str | None = None
    kind: str = "Linux x86_64"
    is_root: bool = True
    ran: list[str] = field(default_factory=list)

    def choose(self) -> str:
        machine = Machine(self.named, self.kind, self.is_root, self.programs.get, self._run, self._start)
        return choose(machine, Progress(io.StringIO()))

    def _run(self, command: Sequence[str], _: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
        line = " ".join(command)
        self.ran.append(line)
        if not self.working(line):
            raise Unavailable("no such host")
        return "/fetched/by/playwright\n"

    def _start(self, executable: str) -> None:
        if not self.starting(executable):
            raise Unavailable("it does not start: no libnss3.so")


@pytest.fixture(autouse=True)
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(browser, "BROWSER", tmp_path)
    return tmp_path


APT = {"apt-get": "/usr/bin/apt-get"}


def test_a_browser_that_is_named_is_taken_before_any_other() -> None:
    machine = Pretend({"chromium": "/usr/bin/chromium"}, named="/opt/chromium")
    assert machine.choose() == "/opt/chromium"


def test_a_browser_that_is_named_and_does_not_start_is_no_reason_to_take_another() -> None:
    with pytest.raises(NoBrowser, match=r"CHROMIUM=/opt/chromium: it does not start: no libnss3\.so"):
        Pretend({"chromium": "/usr/bin/chromium"}, named="/opt/chromium", starting=lambda _: False).choose()


def test_nothing_is_fetched_where_a_browser_starts() -> None:
    machine = Pretend({"google-chrome": "/usr/bin/google-chrome"})
    assert machine.choose() == "/usr/bin/google-chrome"
    assert machine.ran == []


def test_npms_package_comes_before_the_systems(fetched: Path) -> None:
    machine = Pretend(APT)
    executable = Path(machine.choose())
    assert executable.is_relative_to(fetched)
    assert f'exec {executable.with_name("chromium")} "$@"' in executable.read_text()
    assert [line.split()[-1] for line in machine.ran[:1]] == ["ci"]
    assert not any("apt-get" in line or "playwright" in line for line in machine.ran)


def test_what_was_fetched_from_npm_is_not_fetched_again_until_the_lock_changes(fetched: Path) -> None:
    first = Pretend()
    first.choose()
    again = Pretend()
    again.choose()
    (fetched / "npm" / "package-lock.json").write_text("{}")
    other = Pretend()
    other.choose()
    assert (len(first.ran), len(again.ran), len(other.ran)) == (2, 0, 2)


def test_what_npm_could_not_unpack_is_fetched_again() -> None:
    Pretend(working=lambda line: "--eval" not in line).choose()
    again = Pretend()
    again.choose()
    assert any(line.endswith(" ci") for line in again.ran)


def test_debians_package_is_next_where_root_can_install_it() -> None:
    installed: dict[str, str] = dict(APT)
    machine = Pretend(installed, kind="Linux aarch64")

    def install(line: str) -> bool:
        if "install" in line:
            installed["chromium"] = "/usr/bin/chromium"
        return True

    machine.working = install
    assert machine.choose() == "/usr/bin/chromium"
    assert not any("playwright" in line for line in machine.ran)


def test_playwrights_own_is_the_last_one() -> None:
    machine = Pretend(APT, kind="Linux aarch64", is_root=False)
    assert machine.choose() == "/fetched/by/playwright"
    assert not any("apt-get" in line for line in machine.ran)


def test_a_browser_that_does_not_start_is_passed_over(fetched: Path) -> None:
    machine = Pretend({"chromium": "/snap/bin/chromium"}, starting=lambda path: "snap" not in path)
    assert Path(machine.choose()).is_relative_to(fetched)


def test_without_any_it_says_what_failed_what_was_not_tried_and_what_to_type() -> None:
    machine = Pretend(APT, kind="Linux aarch64", is_root=False, working=lambda _: False)
    with pytest.raises(NoBrowser) as failure:
        machine.choose()
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
