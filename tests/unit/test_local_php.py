"""Where the PHP of the samples comes from, and that nothing else waits for it."""

import io
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from local.browser import Unavailable
from local.php import Machine, provide
from local.progress import Progress

APT = {"apt-get": "/usr/bin/apt-get", "dpkg": "/usr/bin/dpkg"}
WOULD_INSTALL = """Reading package lists...
Inst php-common (2:93 Debian:12 [all])
Inst php8.2-cli (8.2.36 Debian:12 [amd64])
Conf php8.2-cli (8.2.36 Debian:12 [amd64])
"""


class Pretend:
    """A machine with some programs, on which what has one of some words in it fails."""

    def __init__(self, folder: Path, programs: dict[str, str], broken: str = "nothing") -> None:
        self.ran: list[str] = []
        self._machine = Machine(folder, programs.get, self._run)
        self._folder, self._broken = folder, broken

    def provide(self) -> str:
        return provide(self._machine, Progress(io.StringIO())).read_text()

    def _run(self, command: Sequence[str], *_: object, **__: object) -> str:
        line = " ".join(command)
        self.ran.append(line)
        if re.search(self._broken, line):
            raise Unavailable("E: no such host")
        if "download" in line:
            for name in command[3:]:
                (self._folder / f"{name}_1_amd64.deb").touch()
        if "--extract" in line:
            program = self._folder / "root" / "usr" / "bin" / "php8.2"
            program.parent.mkdir(parents=True, exist_ok=True)
            program.touch()
            (self._folder / "root" / "usr" / "lib" / "x86_64-linux-gnu").mkdir(parents=True, exist_ok=True)
        return WOULD_INSTALL


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "php"


def test_the_one_on_the_path_is_taken(folder: Path) -> None:
    machine = Pretend(folder, {"php": "/usr/bin/php", **APT})
    assert 'exec /usr/bin/php "$@"' in machine.provide()
    assert not any("apt-get" in line for line in machine.ran)


def test_else_debians_is_unpacked_with_what_it_needs_and_not_fetched_again(folder: Path) -> None:
    first, again = Pretend(folder, APT), Pretend(folder, APT)
    script = first.provide()
    root = folder / "root" / "usr"
    assert f'export LD_LIBRARY_PATH={root}/lib/x86_64-linux-gnu\nexec {root}/bin/php8.2 -n "$@"' in script
    assert first.ran[1] == "apt-get download --quiet php-common php8.2-cli"
    assert list(folder.glob("*.deb")) == []
    assert not any("install" in line and "--simulate" not in line for line in first.ran)
    again.provide()
    assert len(again.ran) == 1


@pytest.mark.parametrize(
    ("programs", "broken", "reason"),
    [
        ({}, "nothing", "no apt"),
        (APT, "simulate", "no such host"),
        (APT, "download", "no such host"),
        (APT, "php/php -r", "no such host"),
        ({"php": "/usr/bin/php"}, "php/php -r", "no such host"),
    ],
    ids=["nothing", "unknown", "no network", "does not start", "too old"],
)
def test_where_there_is_none_that_works_it_says_why(
    folder: Path, programs: dict[str, str], broken: str, reason: str
) -> None:
    with pytest.raises(Unavailable, match=reason):
        Pretend(folder, programs, broken).provide()
