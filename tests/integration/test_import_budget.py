"""What a cold start of each function pays for: which libraries it imports, how many modules, and when it is made."""

import itertools
import json
import os
import subprocess
import sys

import pytest

from globalconnect.runtime.startup import at_startup
from local.place import FUNCTIONS
from simulation.aws import TEMPLATE

STATED = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
# Names and numbers alike can be this.
VARIABLES = {name: "1" for name, value in STATED.items() if isinstance(value, dict)}
# A region and keys, so that a client can be made; nothing is called.
AWS = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
ON_LAMBDA = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"}

LIBRARIES = {"aiohttp", "pydantic", "aws_lambda_powertools"}
LOGS = {"aws_lambda_powertools"}

# Beyond a DynamoDB client: the libraries that a function may import, and how many modules, its own among them. About a
# tenth is left for new modules of ours; one of these libraries is more than that.
BUDGETS: dict[str, tuple[set[str], int]] = {
    "partner_api": (set(), 60),
    "getsms": (set(), 44),
    "partner_page": (set(), 58),
    "inbound_sms": (LOGS, 117),
    "projection": (LOGS, 86),
    "line_states": (LOGS, 88),
    "sweep": (LOGS, 128),
    "recount": (LOGS, 89),
    "hourly_counts": (LOGS, 93),
    "console": (set(), 14),
    "admin_api": (LOGS | {"pydantic"}, 250),
    "push_sms": (LOGS | {"aiohttp"}, 220),
    "push_retry": (LOGS | {"aiohttp"}, 220),
}

_IMPORTED = """
import importlib, json, sys
import boto3
boto3.client("dynamodb")
before = set(sys.modules)
importlib.import_module(sys.argv[1] + ".app")
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def run(source: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python in an environment that holds these variables and little else."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(FUNCTIONS), **AWS, **variables}
    command = [sys.executable, "-c", source, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def imported(function: str) -> list[str]:
    """Return the modules that a function imports beyond those of a DynamoDB client."""
    done = run(_IMPORTED, function)
    assert done.returncode == 0, done.stderr
    modules: list[str] = json.loads(done.stdout)
    return modules


def test_every_function_has_a_budget() -> None:
    assert sorted(BUDGETS) == sorted(path.parent.name for path in FUNCTIONS.glob("*/app.py"))


@pytest.mark.parametrize("function", BUDGETS)
def test_a_function_imports_no_more_than_its_budget(function: str) -> None:
    libraries, most = BUDGETS[function]
    modules = imported(function)
    assert LIBRARIES & set(modules) == libraries
    assert len(modules) <= most, modules


@pytest.mark.parametrize("function", ["partner_api", "getsms", "inbound_sms"])
def test_a_function_that_partners_or_gateways_wait_for_is_made_before_its_first_request(function: str) -> None:
    missing = "ACTIVATIONS_TABLE"
    lacking = {name: value for name, value in VARIABLES.items() if name != missing}
    importing = f"import {function}.app"
    made = run(f"{importing}, sys; sys.exit('botocore.client' not in sys.modules)", **VARIABLES, **ON_LAMBDA)
    assert made.returncode == 0, made.stderr
    assert f"{missing} is not set" in run(importing, **lacking, **ON_LAMBDA).stderr
    # Elsewhere it can be imported without any of it.
    assert run(importing).returncode == 0


@pytest.mark.parametrize(("on_lambda", "made_at_once"), [(True, 1), (False, 0)])
def test_what_is_made_in_init_is_made_at_once_and_once_and_elsewhere_when_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, on_lambda: bool, made_at_once: int
) -> None:
    for name, value in ON_LAMBDA.items() if on_lambda else ():
        monkeypatch.setenv(name, value)
    made = itertools.count(1)
    parts = at_startup(lambda: next(made))
    assert next(made) == 1 + made_at_once
    assert parts() == parts()
