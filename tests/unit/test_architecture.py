"""The dependency direction: domain <- hub_protocol, store <- push, inbound <- functions, which never import each other."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
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


@cache
def _imports(path: Path) -> tuple[str, ...]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names += (str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names))
    return tuple(names)


def _starts_with(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _offenders(folder: Path, forbidden: set[str]) -> list[str]:
    return [
        f"{path.relative_to(CODE, walk_up=True)} imports {name}"
        for path in sorted(folder.rglob("*.py"))
        for name in _imports(path)
        if _starts_with(name, forbidden)
    ]


def test_there_is_a_folder_for_every_function_of_the_template() -> None:
    resources = TEMPLATE["Resources"].values()
    handlers = [entry["Properties"]["Handler"] for entry in resources if entry["Type"] == "AWS::Serverless::Function"]
    assert sorted(handlers) == [f"{function}.app.handler" for function in FUNCTIONS]


def _shared(*names: str) -> set[str]:
    return {f"{SHARED}.{name}" for name in names}


FORBIDDEN = {
    f"{SHARED}/domain": {
        *(AWS | HTTP | _shared("hub_protocol", "store", "push", "runtime")),
        *("os", "time", "random", "secrets", "socket", "logging", *FUNCTIONS),
    },
    f"{SHARED}/hub_protocol": {
        *(AWS | HTTP | _shared("store", "push", "runtime")),
        *("os", "time", "random", *FUNCTIONS),
    },
    f"{SHARED}/store": {*(HTTP | _shared("hub_protocol", "push", "runtime")), "os", *FUNCTIONS},
    f"{SHARED}/push": {*FUNCTIONS},
    f"{SHARED}/inbound": {*FUNCTIONS},
    f"{SHARED}/inbound/providers": {
        *(AWS | _shared("store")),
        *("os", *_shared("inbound.parts", "inbound.receive", "inbound.take")),
    },
    **{function: {*FUNCTIONS} - {function} for function in FUNCTIONS},
    # A deployed stack is judged by the contract, not by what the product thinks of it.
    "../acceptance": {SHARED, "simulation", "tests", *FUNCTIONS},
    # Hubs are what their documents say: what we make of them is what is tested.
    "../conformance": {
        *(SHARED, "simulation", "tests", "local", "acceptance", "deployment", "bench", *FUNCTIONS),
    },
}


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_nothing_imports_what_its_layer_does_not_know(folder: str) -> None:
    assert _offenders(CODE / folder, FORBIDDEN[folder]) == []


@pytest.mark.parametrize(
    ("packages", "importers"),
    [
        ({"aws_lambda_powertools.metrics"}, {f"{SHARED}/runtime/metrics.py"}),
        ({"os"}, {f"{SHARED}/runtime/startup.py"}),
        (
            {"boto3", "botocore"},
            {
                f"{SHARED}/{part}"
                for part in (
                    "runtime/aws.py",
                    "push/queue.py",
                    "store/dynamo/expressions.py",
                    "store/dynamo/failures.py",
                )
            },
        ),
    ],
    ids=["metrics", "the environment", "boto"],
)
def test_what_is_kept_together_is_imported_there_alone(packages: set[str], importers: set[str]) -> None:
    assert {line.split(" imports ")[0] for line in _offenders(CODE, packages)} == importers


def test_the_domain_never_asks_what_time_it_is() -> None:
    asking = re.compile(r"\.(now|utcnow|today|time)\(\)")
    assert [path.name for path in (CODE / SHARED / "domain").glob("*.py") if asking.search(path.read_text())] == []


def test_the_domain_has_no_name_and_no_word_of_what_hubs_send_and_get() -> None:
    wire = re.compile(r"\b(?:[a-z]{2,}[A-Z]\w*|[A-Z]+(?:_[A-Z]+)+|SUCCESS|ERROR|EXPIRED)\b|^any$")
    found = [
        f"{path.name}:{line}: {text}"
        for path in sorted((CODE / SHARED / "domain").glob("*.py"))
        for line, text in _texts(path)
        # The catalogue of gateways tells staff what theirs call things.
        if wire.search(text) and path.name != "provider.py"
    ]
    assert found == []


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """Return the strings of a module that are no docstrings, each with its line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.lineno, node.value


def test_keys_of_tables_are_named_in_the_store_alone() -> None:
    tables = [
        entry["Properties"] for entry in TEMPLATE["Resources"].values() if entry["Type"] == "AWS::DynamoDB::Table"
    ]
    keys = {attribute["AttributeName"] for table in tables for attribute in table["AttributeDefinitions"]}
    outside = [path for path in CODE.rglob("*.py") if CODE / SHARED / "store" not in path.parents]
    found = {f"{path.relative_to(CODE)}: {name}" for path in outside for name in _read_by_name(path) & keys}
    # Columns of files, fields of gateways and hubs, and what logs call it.
    assert found == {
        *(f"admin_api/import_rows.py: {column}" for column in ("phone", "country", "operator")),
        *(f"admin_api/lines.py: {column}" for column in ("line", "phone")),
        *(
            f"admin_api/{module}.py: {column}"
            for module in ("names", "starting_names")
            for column in ("kind", "country")
        ),
        *(f"globalconnect/inbound/providers/generic.py: {field}" for field in ("line", "phone")),
        "globalconnect/inbound/providers/ejoin.py: code",
        "globalconnect/hub_protocol/answers.py: phone",
        "globalconnect/hub_protocol/switches.py: phone",
        "partner_page/forms.py: name",
        *(f"globalconnect/push/pusher.py: {field}" for field in ("activation_id", "partner_id")),
    }


def _read_by_name(path: Path) -> set[str]:
    """Return what a module takes out of something by a name, in brackets or by `get`, or puts into a mapping by one; not
    what is of a path or query, nor what staff and logs are told.
    """
    names: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Subscript():
                names += [] if ast.unparse(node.value).endswith(".path") else [node.slice]
            case ast.Call(func=ast.Attribute(attr="get")):
                names += [] if ast.unparse(node.func).endswith("query.get") else node.args[:1]
            case ast.Dict():
                names += node.keys
    return {one.value for one in names if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name: {found for found in _imports(path) if found in MODULES} - {name} for name, path in MODULES.items()}
    TopologicalSorter(graph).prepare()


def test_no_two_public_types_of_globalconnect_share_a_name() -> None:
    names = [
        node.name.id if isinstance(node, ast.TypeAlias) else node.name
        for path in (CODE / SHARED).rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef | ast.TypeAlias)
    ]
    assert {name for name in names if names.count(name) > 1 and not name.startswith("_")} == set()


def test_clients_of_aws_are_made_in_one_place() -> None:
    making = re.compile(r"boto3\.(client|resource|Session|session)")
    makers = [path.relative_to(CODE).as_posix() for path in CODE.rglob("*.py") if making.search(path.read_text())]
    assert makers == ["globalconnect/runtime/aws.py"]


def test_what_tests_and_measurements_play_on_knows_neither() -> None:
    assert _offenders(REPOSITORY / "simulation", {"tests", "bench"}) == []


def test_tests_and_measurements_do_not_import_each_other() -> None:
    assert [*_offenders(REPOSITORY / "bench", {"tests"}), *_offenders(REPOSITORY / "tests", {"bench"})] == []
