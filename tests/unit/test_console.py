"""The console's function: a page, the files that were built, nothing else; and what its sources may not do."""

import base64
import gzip
import html
import json
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

from admin_api.app import ROUTES
from console.app import answer
from console.wiring import Parts, build
from globalconnect.domain.errors import NotFound
from globalconnect.runtime import http
from globalconnect.runtime.startup import Environment
from local.place import REPOSITORY

ENVIRONMENT = Environment(
    {"USER_POOL_CLIENT_ID": "client", "COGNITO_URL": "https://cognito.example/", "TRY_IT": "false"}
)
PAGE = '<base href="{{base}}"><meta name="globalconnect" content="{{configuration}}">'
SCRIPT = "app-ABCD2345.js"
SOURCES = [path for path in (REPOSITORY / "console" / "src").rglob("*.ts*") if path.name != "api-types.ts"]
# `import type` too: a circle of types is one to the reader all the same.
# A call that changes something, by method and path; and what a button or form says that it does.
CHANGE = re.compile(r"\bapi\.(post|put|patch|delete)\(\s*\"([^\"]+)\"")
DEED = re.compile(r"\"((?:post|put|patch|delete) /admin/[^\"]+)\"")
IMPORT = re.compile(r"""(?:^(?:import|export)\b[^;"']*?|\bimport\()["'](\.{1,2}/[^"']+)["']""", re.MULTILINE)
# What is entered in the audit log.
ACTION = re.compile(r"\"([a-z]+\.[a-z_]+)\"")
# What makes markup of a text, runs one, or needs a laxer policy.
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML|createContextualFragment"
    r"|DOMParser|srcdoc|\beval\(|new Function|\bstyle=|setAttribute\(\s*[\"'](style|on)"
)


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """Return a folder as `make console` leaves it."""
    built = {SCRIPT: "script()", "app-ABCD2345.css": "a{}", "LICENSES.txt": "MIT"}
    for name, text in built.items():
        (tmp_path / name).write_text(text)
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "index.html").write_text(PAGE)
    return tmp_path


@pytest.fixture
def console(static: Path) -> Parts:
    return build(ENVIRONMENT, static)


def event(file: str | None = None, *, path: str = "/live/console", **more: Any) -> dict[str, Any]:
    return {
        "httpMethod": "GET",
        "resource": "/console" if file is None else "/console/{file+}",
        "pathParameters": None if file is None else {"file": file},
        "headers": {"Accept": "*/*", "Accept-Encoding": "gzip, br"},
        "stageVariables": None,
        "requestContext": {"path": path, "domainName": "api.example"},
        **more,
    }


def proxied(console: Parts, given: dict[str, Any]) -> http.ProxyAnswer:
    return http.endpoint(lambda event: answer(event, console))(given, None)


def configuration(page: http.ProxyAnswer) -> Any:
    (written,) = re.findall(r'content="([^"]*)"', page["body"])
    return json.loads(html.unescape(written))


KNOWN = {"publicUrl": "http://127.0.0.1:4566/x/live", "cognitoUrl": "http://127.0.0.1:4566/"}


@pytest.mark.parametrize(
    ("path", "variables", "api", "cognito"),
    [
        ("/live/console", None, "https://api.example/live", "https://cognito.example/"),
        ("/live/console/", None, "https://api.example/live", "https://cognito.example/"),
        ("/console", None, "https://api.example", "https://cognito.example/"),
        ("/live/console", KNOWN, KNOWN["publicUrl"], KNOWN["cognitoUrl"]),
    ],
    ids=["stage", "slash", "a domain of one's own has no stage", "a stage that knows better"],
)
def test_the_page_says_where_it_is_and_what_it_needs_to_know(
    console: Parts, path: str, variables: dict[str, str] | None, api: str, cognito: str
) -> None:
    page = proxied(console, event(path=path, stageVariables=variables))
    assert (page["statusCode"], page["headers"]["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert page["body"].startswith(f'<base href="{api}/console/">')
    assert configuration(page) == {"api": api, "userPoolClientId": "client", "cognito": cognito, "tryIt": False}
    assert f"connect-src 'self' {cognito.removesuffix('/')};" in page["headers"]["Content-Security-Policy"]


def test_the_page_is_asked_for_each_time_and_its_policy_lets_nothing_in(console: Parts) -> None:
    headers = proxied(console, event())["headers"]
    assert (
        headers.items()
        >= {
            "Cache-Control": "no-cache",
            "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            "connect-src 'self' https://cognito.example; base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }.items()
    )
    assert headers["Strict-Transport-Security"].startswith("max-age=")


def test_what_a_request_says_never_becomes_markup(console: Parts) -> None:
    hostile = '"><script>alert(1)</script>'
    page = proxied(console, event(stageVariables={"publicUrl": hostile, "cognitoUrl": hostile}))
    assert "<script>" not in page["body"]


def test_a_file_is_kept_for_a_year_by_its_name_and_packed_for_who_takes_that(console: Parts) -> None:
    file = proxied(console, event(SCRIPT))
    assert (
        file["headers"].items()
        >= {
            "Cache-Control": "public, max-age=31536000, immutable",
            "Content-Type": "text/javascript; charset=utf-8",
            "Content-Encoding": "gzip",
            "Vary": "Accept-Encoding",
        }.items()
    )
    assert gzip.decompress(base64.b64decode(file["body"])) == b"script()"
    # Without an Accept header API Gateway would leave the base64 as it is (docs/adr/0004).
    plain = proxied(console, event(SCRIPT, headers={"Accept-Encoding": "gzip"}))
    assert (plain["body"], plain.get("isBase64Encoded", False)) == ("script()", False)


def test_the_licences_have_no_hash_in_their_name_and_are_asked_for_each_time(console: Parts) -> None:
    assert proxied(console, event("LICENSES.txt"))["headers"]["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "name",
    [
        "app.py",
        "../app.py",
        "..%2Fapp.py",
        "static/../../app.py",
        "/etc/passwd",
        f"./{SCRIPT}",
        f"{SCRIPT}/",
        f"{SCRIPT}.gz",
        SCRIPT.lower(),
        "index.html",
        "\x00",
    ],
)
def test_only_what_was_built_can_be_had_by_its_exact_name(console: Parts, name: str) -> None:
    refused = proxied(console, event(name))
    assert refused["statusCode"] == 404
    assert json.loads(refused["body"]) == {"status": "ERROR", "message": "file not found"}


@pytest.mark.parametrize("file", [None, SCRIPT])
def test_without_a_build_it_says_how_to_build_it(tmp_path: Path, file: str | None) -> None:
    console = build(ENVIRONMENT, tmp_path / "static")
    with pytest.raises(NotFound, match="make console"):
        answer(http.Request(event(file)), console)


def test_it_imports_no_sdk() -> None:
    asked = "import sys, console.app; sys.exit(any(name in sys.modules for name in ('boto3', 'botocore', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", asked], cwd=REPOSITORY / "functions", check=False).returncode == 0


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_source_of_the_console_makes_markup_of_text(path: Path) -> None:
    assert FORBIDDEN.findall(path.read_text(encoding="utf-8")) == []


def imports(path: Path) -> set[Path]:
    named = [(path.parent / name).resolve() for name in IMPORT.findall(path.read_text(encoding="utf-8"))]
    endings = (".ts", ".tsx", "/index.ts", "/index.tsx")
    return {Path(f"{name}{ending}") for name in named for ending in endings} & set(SOURCES)


def test_every_action_in_the_audit_log_has_words() -> None:
    named = set(
        re.findall(r'"([a-z]+\.[a-z_]+)": "', (REPOSITORY / "console" / "src" / "pages" / "audit.tsx").read_text())
    )
    sources = [path.read_text() for path in (REPOSITORY / "functions" / "admin_api").glob("*.py")]
    given = {action for source in sources for action in ACTION.findall(source)}
    assert {route.action for route in ROUTES if route.action} <= given
    assert given == named


def test_no_sources_of_the_console_import_each_other_in_a_circle() -> None:
    graph = {path: imports(path) for path in SOURCES}
    assert sum(map(len, graph.values())) > len(graph)
    TopologicalSorter(graph).prepare()


def test_whatever_changes_something_is_behind_a_button_that_knows_which_role_it_needs() -> None:
    texts = [path.read_text(encoding="utf-8") for path in SOURCES]
    changes = {" ".join(change) for text in texts for change in CHANGE.findall(text)}
    deeds = {deed for text in texts for deed in DEED.findall(text)}
    assert len(changes) > 20
    assert changes == deeds
