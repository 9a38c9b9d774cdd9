"""What `make deploy` adds to the built functions: their modules in compiled form."""

import subprocess
import sys
from pathlib import Path

import pytest

from local import bytecode

FIRST, SECOND = "one", "two"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Return two equal functions as `sam build` leaves them."""
    for function in (FIRST, SECOND):
        package = tmp_path / function / "package"
        package.mkdir(parents=True)
        (package / "app.py").write_text("WORDS = frozenset({'a', 'b'})\n")
    (tmp_path / "template.yaml").write_text("Resources: {}\n")
    bytecode.add_to_all(tmp_path)
    return tmp_path


def run(function: Path, *options: str) -> str:
    """Import the module and print its words; return all that was printed."""
    command = [sys.executable, *options, "-c", "import package.app; print(*sorted(package.app.WORDS))"]
    done = subprocess.run(command, cwd=function, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def test_modules_are_taken_from_their_compiled_form(built: Path) -> None:
    [compiled] = (built / FIRST).rglob("*.pyc")
    assert f"code object from '{compiled}'" in run(built / FIRST, "-v")


def test_a_module_that_was_built_again_is_not_run_as_it_was(built: Path) -> None:
    assert run(built / FIRST) == "a b\n"
    app = built / FIRST / "package" / "app.py"
    app.write_text(app.read_text().replace("'a'", "'c'"))
    assert run(built / FIRST) == "b c\n"


def test_equal_functions_stay_equal_so_that_they_are_uploaded_once(built: Path) -> None:
    compiled = [sorted((built / function).rglob("*.pyc")) for function in (FIRST, SECOND)]
    assert [path.name for path in compiled[0]] == ["app.cpython-313.pyc"]
    assert [path.read_bytes() for path in compiled[0]] == [path.read_bytes() for path in compiled[1]]


def test_a_module_that_cannot_be_compiled_stops_it(built: Path) -> None:
    (built / SECOND / "package" / "app.py").write_text("def\n")
    with pytest.raises(subprocess.CalledProcessError):
        bytecode.add_to_all(built)
