"""Every sample event of events/ through the built artefact, as Lambda would run it; and none without a meaning."""

import base64
import json
import subprocess
from typing import Any

import pytest

from simulation.aws import TEMPLATE
from simulation.rie import BROUGHT, functions_of
from tests.rie import samples
from tests.rie.conftest import Built, Runtimes
from tests.rie.expectations import ANSWERS, EXPECTATIONS, said
from tests.rie.world import SampleWorld

# The first test that needs the artefact may have to build it.
pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("rie")]

NAMES = samples.names()
FUNCTIONS = functions_of(TEMPLATE)
IN_THE_ARTEFACT = ("pydantic", "pydantic_core", "aiohttp", "aws_lambda_powertools", "globalconnect")
_ORIGINS = (
    "import importlib, json, sys; print(json.dumps({n: importlib.import_module(n).__file__ for n in sys.argv[1:]}))"
)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_event_brings_about_what_it_should(name: str, runtimes: Runtimes, world: SampleWorld) -> None:
    answer = runtimes(name.partition("/")[0]).invoke(samples.read(name))
    if name in ANSWERS:
        assert said(answer) == ANSWERS[name]
    else:
        EXPECTATIONS[name](answer, world)


def test_every_function_has_an_event_and_every_event_a_function() -> None:
    assert {name.partition("/")[0] for name in NAMES} == {function.folder for function in FUNCTIONS}


def test_every_event_is_in_the_readme() -> None:
    readme = (samples.EVENTS / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}`" not in readme] == []


@pytest.mark.parametrize("name", [name for name in NAMES if "httpMethod" in samples.read(name)])
def test_an_event_of_the_api_comes_by_a_route_of_its_function(name: str) -> None:
    event = samples.read(name)
    route = _route(name.partition("/")[0], event["httpMethod"], event["resource"])
    context = event["requestContext"]
    assert (context["httpMethod"], context["resourcePath"]) == (event["httpMethod"], event["resource"])
    assert ("authorizer" in context) == ("Auth" in route)
    assert event["isBase64Encoded"] == (event["body"] is not None)
    base64.b64decode(event["body"] or "", validate=True)
    assert event["multiValueHeaders"] == {header: [value] for header, value in event["headers"].items()}


@pytest.mark.parametrize("folder", ["partner_api", "getsms"])
def test_what_partners_wait_for_prints_its_lines_itself_so_that_it_need_not_import_the_log(
    folder: str, runtimes: Runtimes, world: SampleWorld
) -> None:
    runtime = runtimes(folder)
    for name in NAMES:
        if name.startswith(f"{folder}/"):
            world.reset()
            runtime.invoke(samples.read(name))
    # Which line of code logged is what the library says, and we don't.
    assert '"location":' not in runtime.log.read_text(encoding="utf-8")


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: str(function.folder))
def test_a_function_takes_from_its_artefact_all_but_what_the_runtime_brings(
    function: Any, built: Built, runtimes: Runtimes
) -> None:
    runtime = runtimes(function.folder)
    # Started in the same place, by the same interpreter, with the same environment as the function.
    done = subprocess.run(
        [*runtime.python, "-c", _ORIGINS, *IN_THE_ARTEFACT, *BROUGHT],
        cwd=runtime.task_root,
        env=runtime.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    origins: dict[str, str] = json.loads(done.stdout)
    assert runtime.task_root == built.functions / function.logical_id
    for name in IN_THE_ARTEFACT:
        assert origins[name].startswith(f"{runtime.task_root}/"), name
    for name in BROUGHT:
        assert origins[name].startswith(f"{built.packages}/"), name
        assert not (runtime.task_root / name).exists(), name


def _route(folder: str, method: str, path: str) -> dict[str, Any]:
    [logical_id] = [function.logical_id for function in FUNCTIONS if function.folder == folder]
    events = TEMPLATE["Resources"][logical_id]["Properties"]["Events"].values()
    [route] = [
        event["Properties"]
        for event in events
        if event["Properties"]["Path"] == path and event["Properties"]["Method"] in {method, "ANY"}
    ]
    return dict(route)
