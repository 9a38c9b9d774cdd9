"""The glossary holds in the code: what it calls otherwise has no identifier."""

import ast
import json
import re

from local.place import REPOSITORY

# What has been done to something is no name for it; exceptions are named for what happened.
PARTICIPLE = re.compile(r"(ed|Shown|Given|Told|Begun|Swept|Left|Known|Heard|Done|Sent|Sold|Held|Kept)$")
CODE = ("functions", "local", "deployment", "bench", "simulation", "tests")


def _forbidden() -> set[str]:
    rows = re.findall(r"^\|(.+)\|(.+)\|(.*)\|$", (REPOSITORY / "docs/glossary.md").read_text(), flags=re.MULTILINE)
    words = {word.strip() for _, _, others in rows[2:] for word in others.split(",")}
    return words - {""}


def _identifiers(tree: ast.AST) -> set[str]:
    names = ("id", "attr", "arg", "name", "asname", "module")
    values = {getattr(node, name, None) for node in ast.walk(tree) for name in names}
    return {value for value in values if isinstance(value, str)}


def test_no_identifier_has_a_word_that_the_glossary_calls_otherwise() -> None:
    forbidden = _forbidden()
    assert "dice" in forbidden
    found = {
        (str(path.relative_to(REPOSITORY)), word)
        for folder in CODE
        for path in (REPOSITORY / folder).rglob("*.py")
        for identifier in _identifiers(ast.parse(path.read_text()))
        for word in forbidden & _words(identifier)
    }
    assert found == set()


def test_the_public_schema_has_no_such_word_either() -> None:
    names: set[str] = set()
    waiting: list[object] = [json.loads((REPOSITORY / "docs/openapi.json").read_text())]
    while waiting:
        match waiting.pop():
            case dict(content):
                names |= content.keys() | {str(content.get("operationId", "")), *map(str, content.get("tags", ()))}
                waiting += content.values()
            case list(content):
                waiting += content
    assert {(name, word) for name in names for word in _forbidden() & _words(name)} == set()


def _words(name: str) -> set[str]:
    """Return the words of a name, however they are joined, and its parts between dots."""
    joined = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return {*re.split(r"[^a-z0-9]+", joined), *name.split(".")}


def test_classes_are_named_by_nouns() -> None:
    classes = {
        node.name
        for path in (REPOSITORY / "functions").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and not any("Exception" in ast.unparse(base) or "Error" in ast.unparse(base) for base in node.bases)
    }
    schemas = json.loads((REPOSITORY / "docs/openapi.json").read_text())["components"]["schemas"]
    assert {name for name in classes | schemas.keys() if PARTICIPLE.search(name)} == set()
