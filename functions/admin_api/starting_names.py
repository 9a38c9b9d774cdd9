"""What a hub is known to call countries, operators and services, for staff to start a partner's names from (contract 5).

The facts are files beside this module, one per dialect, each row with its evidence.
"""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from admin_api.route import Call, route
from admin_api.schema import NoFields, NoQuery, View
from admin_api.wiring import Parts
from globalconnect.domain.errors import NotFound
from globalconnect.domain.names import folded
from globalconnect.domain.pool_counts import PoolCounts
from globalconnect.domain.service import Catalogue
from globalconnect.domain.staff import Role
from globalconnect.hub_protocol.catalogue import DIALECTS

_FILES = Path(__file__).with_name("starting_names")


class StartingName(View):
    """What a hub calls something, an operator with its `country`, and what it says that is (`title`). `ours` is the one of ours
    that is called the same, null when none is; `evidence` is where the name was seen.
    """

    kind: Literal["country", "operator", "service"]
    country: str | None
    theirs: str
    title: str | None
    ours: str | None
    evidence: str


class StartingNames(View):
    """The names of a hub that are known; there may be others."""

    names: list[StartingName]


@route(
    "GET",
    "/admin/dialects/{dialect}/names",
    Role.VIEW,
    "List what the hub of a dialect is known to call countries, operators and services, each with its evidence and with what of "
    "ours has the same code or name: to start a partner's names from. 404 where nothing is known.",
    errors=(404,),
)
def browse(parts: Parts, call: Call[NoQuery, NoFields]) -> StartingNames:
    dialect = call.path["dialect"]
    file = _FILES / f"{dialect}.csv"
    if dialect not in DIALECTS or not file.exists():
        raise NotFound("names")
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    pools = [pool for pool in parts.pool_counts.all() if pool.total > 0]
    ours = _countries(pools) | _operators(pools) | _services(rows, parts.services.catalogue())
    return StartingNames(
        names=[
            StartingName.model_validate(
                {name: text or None for name, text in row.items()} | {"ours": ours.get(_place(row))}
            )
            for row in rows
        ]
    )


type _Place = tuple[str, str, str]


def _place(row: Mapping[str, str]) -> _Place:
    theirs = row["theirs"] if row["kind"] == "service" else _compared(row["theirs"])
    return row["kind"], _compared(row["country"]), theirs


def _countries(pools: Iterable[PoolCounts]) -> dict[_Place, str]:
    return {("country", "", _compared(pool.country)): pool.country for pool in pools}


def _operators(pools: Iterable[PoolCounts]) -> dict[_Place, str]:
    return {("operator", _compared(pool.country), _compared(pool.operator)): pool.operator for pool in pools}


def _services(rows: Iterable[Mapping[str, str]], catalogue: Catalogue) -> dict[_Place, str]:
    """Return services of ours by what the hub calls them: by the same code or, of those whose code it hasn't, the same name."""
    titles = {row["theirs"]: _compared(row["title"]) for row in rows if row["kind"] == "service"}
    named = {_compared(service.name): code for code, service in catalogue.items() if code not in titles}
    found = {theirs: theirs if theirs in catalogue else named.get(title) for theirs, title in titles.items()}
    return {("service", "", theirs): ours for theirs, ours in found.items() if ours is not None}


def _compared(name: str) -> str:
    return folded(name).casefold()
