"""The environment of a function: read once, failing loudly."""

import ast
from pathlib import Path

import pytest

from globalconnect.runtime.startup import BadSettings, Environment
from local.place import REPOSITORY
from simulation.aws import TEMPLATE

FUNCTIONS = REPOSITORY / "functions"
WIRINGS = sorted([*FUNCTIONS.rglob("wiring.py"), FUNCTIONS / "globalconnect" / "inbound" / "parts.py"])
VARIABLES = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]


def test_variables_are_read_as_texts_numbers_flags_and_durations_in_ms() -> None:
    env = Environment({"TABLE": "partners", "LIMIT": "0", "LOOPBACK": "true", "KEEP_DAYS": "1", "LEASE_MINUTES": "60"})
    assert (env.text("TABLE"), env.number("LIMIT"), env.flag("LOOPBACK")) == ("partners", 0, True)
    assert (env.duration("KEEP_DAYS"), env.duration("LEASE_MINUTES")) == (86_400_000, 3_600_000)


@pytest.mark.parametrize("value", [None, "", "-1", "x", "yes"])
@pytest.mark.parametrize("read", [Environment.text, Environment.number, Environment.flag, Environment.duration])
def test_a_variable_that_is_missing_or_cannot_be_read_is_named(read: object, value: str | None) -> None:
    if read is Environment.text and value:
        return
    env = Environment({} if value is None else {"SOME_DAYS": value})
    with pytest.raises(BadSettings, match="SOME_DAYS"):
        read(env, "SOME_DAYS")  # type: ignore[operator]


@pytest.mark.parametrize("wiring", WIRINGS, ids=lambda path: path.parent.name)
def test_the_template_gives_every_variable_a_function_reads(wiring: Path) -> None:
    assert set(_read_in(wiring)) <= VARIABLES.keys()


def test_every_variable_of_the_template_is_read() -> None:
    read = {name for wiring in WIRINGS for name in _read_in(wiring)}
    assert {name for name in VARIABLES if not name.startswith("POWERTOOLS_")} == read


def _read_in(wiring: Path) -> list[str]:
    calls = [node for node in ast.walk(ast.parse(wiring.read_text())) if isinstance(node, ast.Call)]
    return [
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    ]
