"""Reads template.yaml, CloudFormation's short tags (`!Ref`, `!Sub`, ...) included."""

from pathlib import Path
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """SafeLoader that keeps `!Tag value` as {"Tag": value} instead of refusing it."""


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    match node:
        case yaml.ScalarNode():
            value: Any = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
        case _:
            raise yaml.constructor.ConstructorError(None, None, f"unexpected {node}", node.start_mark)
    return {suffix: value}


_Loader.add_multi_constructor("!", _tagged)


def load(path: Path) -> dict[str, Any]:
    """The template in ``path`` as plain data."""
    content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    if not isinstance(content, dict):
        raise TypeError(f"{path} is not a template")
    return content
