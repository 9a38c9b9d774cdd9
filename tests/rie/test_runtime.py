"""The helper that runs built functions: what it measures, what it says when it can't, and that it leaves nothing."""

import time
from pathlib import Path

import pytest

from local.failure import LocalError
from simulation import rie
from simulation.rie import Function, LambdaRuntime, link_brought_packages
from tests.rie import samples
from tests.rie.conftest import Built, runtime_of
from tests.rie.world import SampleWorld

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("rie")]

NOWHERE = "http://127.0.0.1:1"
GETSMS = Function("GetsmsFunction", "getsms.app.handler", 1024, 29)
END_SECONDS = 10.0


@pytest.fixture
def echo(tmp_path: Path) -> LambdaRuntime:
    """Return a function that answers with its event, and ends its process when told to."""
    task_root = tmp_path / "task"
    task_root.mkdir()
    source = "import os\ndef handler(event, context):\n    return os._exit(3) if event == 'end' else event\n"
    (task_root / "echo.py").write_text(source)
    function = Function("Echo", "echo.handler", 128, 3)
    return LambdaRuntime(
        function, task_root, {}, NOWHERE, link_brought_packages(tmp_path / "brought"), tmp_path / "log"
    )


def children(pid: int) -> list[int]:
    return [
        int(child) for listing in Path(f"/proc/{pid}/task").glob("*/children") for child in listing.read_text().split()
    ]


def test_a_stopped_function_leaves_no_process(echo: LambdaRuntime) -> None:
    with echo:
        assert echo.invoke({"text": "ä"}) == {"text": "ä"}
        pids = [echo.pid, *children(echo.pid)]
        assert len(pids) == 2
    deadline = time.monotonic() + END_SECONDS
    while left := [pid for pid in pids if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def test_a_function_that_ends_its_process_has_failed_and_starts_anew(echo: LambdaRuntime) -> None:
    with echo:
        with pytest.raises(rie.FunctionFailed, match="exit status 3"):
            echo.invoke("end")
        assert echo.invoke(1) == 1


def test_there_is_no_duration_before_the_first_invocation(echo: LambdaRuntime) -> None:
    with echo, pytest.raises(ValueError, match="not been invoked"):
        _ = echo.init_duration_ms


def test_init_is_measured_apart_from_the_invocation(built: Built, world: SampleWorld, tmp_path: Path) -> None:
    with runtime_of(GETSMS, built, world.env, world.dynamodb.meta.endpoint_url, tmp_path) as getsms:
        getsms.invoke(samples.read("getsms/wait-code.json"))
        first_init, first = getsms.init_duration_ms, getsms.duration_ms
        getsms.invoke(samples.read("getsms/wait-code.json"))
        assert getsms.init_duration_ms == first_init > 0
        assert 0 < getsms.duration_ms != first


def test_without_the_emulator_of_this_machine_we_say_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rie, "REPOSITORY", tmp_path)
    with pytest.raises(LocalError, match="is missing") as refusal:
        rie.rie_binary()
    assert ".tools/sam/.done" in str(refusal.value)
