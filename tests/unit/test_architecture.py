"""The dependency direction: domain <- hub_protocol, store <- push <- functions; functions never import each other."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from local.place import REPOSITORY
from simulation.aws import TEMPLATE

CODE = REPOSITORY / "functions"
SHARED = "globalconnect"
FUNCTIONS = sorted(path.parent.name for path in CODE.glob("*/app.py"))
MODULES = {".".join(path.relative_to(CODE).with_suffix("").parts): path for path in CODE.rglob("*.py")}
AWS = {"boto3", "botocore", "aws_lambda_powertools"}
HTTP = {"aiohttp", "yarl", "urllib.request", "http.client"}
MEASURED = {"sweep", "hourly_counts", "push_retry", "push_sms", "recount"}


@cache
def _imports(path: Path) -> tuple[str, ...]:
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _starts_with(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _offenders(folder: Path, forbidden: set[str]) -> list[str]:
    return [
        f"{path.relative_to(CODE)} imports {name}"
        for path in sorted(folder.rglob("*.py"))
        for name in _imports(path)
        if _starts_with(name, forbidden)
    ]


def test_there_is_a_folder_for_every_function_of_the_template() -> None:
    resources = TEMPLATE["Resources"].values()
    handlers = [entry["Properties"]["Handler"] for entry in resources if entry["Type"] == "AWS::Serverless::Function"]
    assert sorted(handlers) == [f"{function}.app.handler" for function in FUNCTIONS]


def test_the_domain_knows_no_aws_no_environment_no_clock_and_no_rng() -> None:
    outside = AWS | HTTP | {"os", "time", "random", "secrets", "socket", "logging", *FUNCTIONS}
    shared = {f"{SHARED}.{name}" for name in ("hub_protocol", "store", "push", "runtime")}
    assert _offenders(CODE / SHARED / "domain", outside | shared) == []


def test_the_domain_never_asks_what_time_it_is() -> None:
    asking = re.compile(r"\.(now|utcnow|today|time)\(\)")
    assert [path.name for path in (CODE / SHARED / "domain").glob("*.py") if asking.search(path.read_text())] == []


def test_the_domain_has_no_name_and_no_word_of_what_hubs_send_and_get() -> None:
    wire = re.compile(r"\b(?:[a-z]{2,}[A-Z]\w*|[A-Z]+(?:_[A-Z]+)+|SUCCESS|ERROR|EXPIRED)\b|^any$")
    found = [
        f"{path.name}:{line}: {text}"
        for path in sorted((CODE / SHARED / "domain").glob("*.py"))
        for line, text in _texts(path)
        if wire.search(text)
    ]
    assert found == []


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """Return the strings of a module that are no docstrings, each with its line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.lineno, node.value


def test_the_hub_protocol_knows_the_domain_and_nothing_else_of_ours() -> None:
    shared = {f"{SHARED}.{name}" for name in ("store", "push", "runtime")}
    assert (
        _offenders(CODE / SHARED / "hub_protocol", AWS | HTTP | {"os", "time", "random"} | shared | set(FUNCTIONS))
        == []
    )


def test_the_store_knows_no_http_no_environment_and_no_function() -> None:
    forbidden = HTTP | {"os", f"{SHARED}.hub_protocol", f"{SHARED}.push", f"{SHARED}.runtime", *FUNCTIONS}
    assert _offenders(CODE / SHARED / "store", forbidden) == []


def test_keys_of_tables_are_named_in_the_store_alone() -> None:
    tables = [
        entry["Properties"] for entry in TEMPLATE["Resources"].values() if entry["Type"] == "AWS::DynamoDB::Table"
    ]
    keys = {attribute["AttributeName"] for table in tables for attribute in table["AttributeDefinitions"]}
    outside = [path for path in CODE.rglob("*.py") if CODE / SHARED / "store" not in path.parents]
    assert [f"{path.relative_to(CODE)}: {name}" for path in outside for name in _read_by_name(path) & keys] == []


def _read_by_name(path: Path) -> set[str]:
    """Return what a module takes out of something by a name in brackets, but for the path of a request."""
    subscripts = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Subscript))
    names = [node.slice for node in subscripts if not ast.unparse(node.value).endswith(".path")]
    return {one.value for one in names if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def test_push_knows_no_function() -> None:
    assert _offenders(CODE / SHARED / "push", set(FUNCTIONS)) == []


def test_a_provider_knows_no_store_and_nothing_of_what_takes_its_readings() -> None:
    forbidden = AWS | {
        "os",
        f"{SHARED}.store",
        *(f"inbound_sms.{name}" for name in ("app", "receive", "take", "wiring")),
    }
    assert _offenders(CODE / "inbound_sms" / "providers", forbidden) == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_never_import_each_other(function: str) -> None:
    assert _offenders(CODE / function, set(FUNCTIONS) - {function}) == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_functions_that_measure_pay_for_metrics_at_a_cold_start(function: str) -> None:
    assert (f"{SHARED}.runtime.metrics" in _reached(function)) is (function in MEASURED)


def test_metrics_are_made_in_one_place() -> None:
    makers = {line.split(" imports ")[0] for line in _offenders(CODE, {"aws_lambda_powertools.metrics"})}
    assert makers == {"globalconnect/runtime/metrics.py"}


def test_no_modules_import_each_other_in_a_circle() -> None:
    left = {name: {found for found in _imports(path) if found in MODULES} - {name} for name, path in MODULES.items()}
    while leaves := {name for name, imported in left.items() if not imported & left.keys()}:
        left = {name: imported for name, imported in left.items() if name not in leaves}
    assert left == {}


def test_no_two_public_types_of_globalconnect_share_a_name() -> None:
    found: dict[str, list[str]] = {}
    for name, path in MODULES.items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body if name.startswith(f"{SHARED}.") else []:
            if isinstance(node, ast.ClassDef | ast.TypeAlias):
                found.setdefault(node.name if isinstance(node, ast.ClassDef) else node.name.id, []).append(name)
    assert {name: places for name, places in found.items() if len(places) > 1 and not name.startswith("_")} == {}


def _reached(function: str) -> set[str]:
    """Return the modules of ours that a function's handler imports, however far away."""
    waiting, reached = [f"{function}.app"], set[str]()
    while waiting:
        name = waiting.pop()
        path = CODE.joinpath(*name.split("."))
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if name not in reached and file.exists():
            reached.add(name)
            waiting += _imports(file)
    return reached


def test_boto_is_imported_by_what_makes_clients_the_queue_and_the_parts_of_dynamo() -> None:
    importers = {line.split(" imports ")[0] for line in _offenders(CODE / SHARED, {"boto3", "botocore"})}
    parts = {"runtime/aws.py", "push/queue.py", "store/dynamo/expressions.py", "store/dynamo/failures.py"}
    assert importers == {f"{SHARED}/{part}" for part in parts}
    assert [line for function in FUNCTIONS for line in _offenders(CODE / function, {"boto3", "botocore"})] == []


def test_clients_of_aws_are_made_in_one_place() -> None:
    making = re.compile(r"boto3\.(client|resource|Session|session)")
    makers = [path.relative_to(CODE).as_posix() for path in CODE.rglob("*.py") if making.search(path.read_text())]
    assert makers == ["globalconnect/runtime/aws.py"]


def test_only_startup_reads_the_environment() -> None:
    assert {line.split(" imports ")[0] for line in _offenders(CODE, {"os"})} == {"globalconnect/runtime/startup.py"}


def test_what_tests_and_measurements_play_on_knows_neither() -> None:
    paths = (REPOSITORY / "simulation").rglob("*.py")
    assert [path.name for path in paths if _starts_with_any(path, {"tests", "bench"})] == []


def _starts_with_any(path: Path, packages: set[str]) -> bool:
    return any(_starts_with(name, packages) for name in _imports(path))
