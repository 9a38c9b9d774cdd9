"""Rows inventory.7 to inventory.9: cold starts, processor time per warm request, and the size of the artefact.

Cold starts are those of the functions as `make deploy` builds them, under AWS's Runtime Interface Emulator. Beside
them starts a bare handler that makes a DynamoDB client and nothing else: it is in the same artefact, and they take turns.
"""

import statistics
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.row import Row, Say
from bench.warm_requests import CANDIDATES, GET_ITEM, POOLS, SERVICES, measure
from local import bytecode
from local.failure import LocalError
from simulation import rie
from simulation.aws import TEMPLATE, variables
from simulation.processes import in_a_process
from simulation.rie import Function, LambdaRuntime, functions_of, link_brought_packages

IDS = ("inventory.7", "inventory.8", "inventory.9")

_STARTED = ("partner_api", "getsms")
_STARTS = 10
_INIT_LIMIT = 1.3
_BARE = "bare"
_BARE_SOURCE = 'import boto3\n\nclient = boto3.client("dynamodb")\n\n\ndef handler(event, context):\n    return None\n'
# Without a key it is refused before anything is asked of AWS.
_REFUSED = {"httpMethod": "GET"}
_NOWHERE = "http://127.0.0.1:1"

_ROUNDS = 20
_REQUESTS = 100
_CPU_LIMIT = 1.0

_MEGABYTE = 1_000_000
_ARTEFACT_LIMIT = 17.0
_METADATA = "metadata of packages"


def rows(progress: Say, wanted: Collection[str] = IDS) -> Iterator[Row]:
    if {"inventory.7", "inventory.9"}.intersection(wanted):
        with TemporaryDirectory() as folder:
            yield from _rows_of_the_artefact(progress, wanted, Path(folder))
    if "inventory.8" in wanted:
        yield _warm_row(in_a_process(measure, _ROUNDS, _REQUESTS), progress)


def _rows_of_the_artefact(progress: Say, wanted: Collection[str], folder: Path) -> Iterator[Row]:
    function = {function.folder: function for function in functions_of(TEMPLATE)}
    try:
        built = rie.build(folder / "build")
        # One is all: the functions have one zip root (docs/adr/0001).
        task_root = built / function[_STARTED[0]].logical_id
        bytecode.add(task_root)
        if "inventory.9" in wanted:
            yield _artefact_row(contents(zipped(task_root, folder / "artefact.zip")), progress)
        if "inventory.7" in wanted:
            (task_root / f"{_BARE}.py").write_text(_BARE_SOURCE, encoding="utf-8")
            bytecode.add(task_root)
            yield _init_row(_inits([function[name] for name in _STARTED], task_root, folder), progress)
    except LocalError as error:
        progress(f"not measured: {error}")


# ---------------------------------------------------------------- inventory.7


def _inits(functions: Sequence[Function], task_root: Path, folder: Path) -> dict[str, list[float]]:
    """Start each function, and the bare handler, ten times in turn; return how long INIT took (ms), by folder."""
    like = functions[0]
    functions = [Function("Bare", f"{_BARE}.handler", like.memory, like.timeout), *functions]
    packages = link_brought_packages(folder / "packages")
    runtimes = [
        LambdaRuntime(
            function, task_root, variables(TEMPLATE, {}), _NOWHERE, packages, folder / f"{function.folder}.log"
        )
        for function in functions
    ]
    inits: dict[str, list[float]] = {function.folder: [] for function in functions}
    # The first of each only brings files into memory.
    for number in range(_STARTS + 1):
        for runtime in runtimes if number % 2 else reversed(runtimes):
            with runtime:
                runtime.invoke(_REFUSED)
                if number:
                    inits[runtime.function.folder].append(runtime.init_duration_ms)
    return inits


def _init_row(inits: Mapping[str, Sequence[float]], progress: Say) -> Row:
    bare = inits[_BARE]
    # Start by start: what else the machine does meanwhile meets both alike.
    ratios = {
        name: statistics.median(ours / theirs for ours, theirs in zip(durations, bare, strict=True))
        for name, durations in inits.items()
    }
    for name, durations in inits.items():
        progress(
            f"inventory.7: INIT of {name}: median of {len(durations)} {statistics.median(durations):.0f} ms "
            f"({min(durations):.0f} to {max(durations):.0f}), {ratios[name]:.2f} of the bare handler's beside it"
        )
    worst = round(max(ratios[name] for name in _STARTED), 3)
    return Row(
        "inventory.7",
        "INIT of partner_api and of getsms takes at most 1.3 times that of a handler that only makes a DynamoDB client",
        worst,
        "of the bare INIT",
        _INIT_LIMIT,
        worst <= _INIT_LIMIT,
    )


# ---------------------------------------------------------------- inventory.8


def _warm_row(figures: Mapping[str, list[float]], progress: Say) -> Row:
    calls = figures[GET_ITEM]
    progress(
        f"inventory.8: with {POOLS} pools, {SERVICES} services, {CANDIDATES} candidates; medians of {_ROUNDS} rounds "
        f"of {_REQUESTS}, beside botocore's GetItem at {statistics.median(calls):.0f} µs"
    )
    ratios: list[float] = []
    for action, micros in figures.items():
        if action != GET_ITEM:
            ratio = statistics.median(ours / call for ours, call in zip(micros, calls, strict=True))
            progress(f"inventory.8: {action}: {statistics.median(micros):.0f} µs, {ratio:.2f} of a GetItem")
            ratios.append(ratio)
    worst = round(max(ratios), 3)
    return Row(
        "inventory.8",
        "a warm request takes no more processor time, beyond its calls to AWS, than one GetItem of botocore",
        worst,
        "of a GetItem",
        _CPU_LIMIT,
        worst <= _CPU_LIMIT,
    )


# ---------------------------------------------------------------- inventory.9


def zipped(task_root: Path, target: Path) -> Path:
    """Zip a built function as `sam deploy` does, and return the zip."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(task_root.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(task_root))
    return target


def contents(archive: Path) -> dict[str, int]:
    """Return how many bytes of a zip its parts take, by top-level name, largest first; what names them is in it."""
    sizes = Counter[str]()
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            top = entry.filename.partition("/")[0]
            sizes[_METADATA if top.endswith((".dist-info", ".data")) else top] += entry.compress_size
    sizes["the zip's own listing"] = archive.stat().st_size - sizes.total()
    return dict(sizes.most_common())


def _artefact_row(sizes: Mapping[str, int], progress: Say) -> Row:
    for name, size in sizes.items():
        progress(f"inventory.9: {size / _MEGABYTE:6.2f} MB  {name}")
    whole = round(sum(sizes.values()) / _MEGABYTE, 2)
    return Row(
        "inventory.9",
        "the artefact of the functions, zipped, is at most 17 MB",
        whole,
        "MB",
        _ARTEFACT_LIMIT,
        whole <= _ARTEFACT_LIMIT,
    )
