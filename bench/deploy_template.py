"""Row deploy.1: what CloudFormation gets of the template keeps every rule of tests/transformed.py."""

from collections.abc import Collection, Iterator

from bench.row import Row, Say
from tests.transformed import RULES, resources

IDS = ("deploy.1",)


def rows(progress: Say, wanted: Collection[str]) -> Iterator[Row]:
    """Transform the template and count what breaks a rule."""
    if "deploy.1" not in wanted:
        return
    broken = [f"{rule.__name__}: {found}" for rule in RULES for found in rule(resources())]
    for found in broken:
        progress(f"deploy.1: {found}")
    yield Row(
        "deploy.1",
        f"the transformed template keeps its {len(RULES)} rules: names, policies, alarms, loops, queries, renames",
        len(broken),
        "breaches",
        0,
        not broken,
    )
