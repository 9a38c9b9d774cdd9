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
        for word in forbidden & {*re.split(r"[_.]", identifier.lower()), *identifier.split(".")}
    }
    assert found == set()


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
