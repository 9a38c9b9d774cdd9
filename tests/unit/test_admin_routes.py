"""The routes of the admin API, their use cases and template.yaml agree."""

import re
import subprocess
import sys
from typing import Any

import pytest
from pydantic import TypeAdapter

from admin_api.app import ROUTES, find
from admin_api.route import Upload
from admin_api.sources import NewSource
from globalconnect.domain.provider import PROVIDERS
from local.place import REPOSITORY
from simulation.aws import TEMPLATE
from simulation.desk import below_admin


def test_all_that_comes_in_below_admin_has_been_asked_for_staff() -> None:
    events = TEMPLATE["Resources"]["AdminApiFunction"]["Properties"]["Events"]
    (deployed,) = (given["Properties"] for given in events.values())
    assert (deployed["Method"], deployed["Path"]) == ("ANY", "/admin/{proxy+}")
    assert deployed["Auth"]["Authorizer"] == "Operators"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_path_leads_to_its_route_and_to_no_other(route: Any, slash: str) -> None:
    said = {name: f"{name} / 1" for name in re.findall(r"\{(\w+)\}", route.path)}
    assert find(route.method, below_admin(route.path, said) + slash) == (route, said)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "services/tg"),
        ("GET", "nothing"),
        ("GET", ""),
        ("GET", "partners//activity/x"),
        ("GET", "/partners"),
        ("get", "partners"),
        ("OPTIONS", "partners"),
    ],
)
def test_a_method_or_path_that_no_route_has_is_not_found(method: str, path: str) -> None:
    assert find(method, path) is None


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_field_that_can_be_refused_says_what_is_expected_of_it(route: Any) -> None:
    fields = {**_schema(route.query).get("properties", {}), **_schema(route.body).get("properties", {})}
    assert [name for name, field in fields.items() if "description" not in field] == []


def test_the_providers_that_staff_can_choose_are_those_of_the_catalogue() -> None:
    assert _schema(NewSource)["properties"]["provider"]["enum"] == [*PROVIDERS]


def test_aiohttp_is_not_loaded_before_a_test_push_asks_for_it() -> None:
    asked = "import sys, admin_api.app; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], cwd=REPOSITORY / "functions", check=False).returncode == 0


def _schema(given: Any) -> dict[str, Any]:
    return {} if given is Upload else TypeAdapter(given).json_schema()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_that_changes_something_has_an_action_for_the_audit_log(route: Any) -> None:
    # A look is told by Call.log_look; an action is like partner.changed.
    pattern = "" if route.method == "GET" else r"[a-z]+\.[a-z_]+"
    assert re.fullmatch(pattern, route.action or "")


def test_every_action_is_of_one_route() -> None:
    actions = [route.action for route in ROUTES if route.action]
    assert sorted(actions) == sorted(set(actions))
