"""The local stack's life: up, down, up again, killed, damaged. One stack of its own, beside any that is running."""

import hashlib
import hmac
import io
import json
import os
import re
import signal
import socket
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from local import deploy, emulator, stack
from local.aws import session
from local.failure import LocalError
from local.place import Place, read_private
from local.pretend_partner import ERROR, PretendPartner, slow
from local.progress import Progress
from local.stack import Stack
from tests.contract.market import until

pytestmark = pytest.mark.timeout(600)

LISTENING = "0A"
SET_UP_SECONDS = 30
NUMBERS = 4_000
OVERRIDES = {"ActivationMinutes": "30"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("stack")
    # As folders usually are; pytest's own are private.
    root.chmod(0o755)
    yield root
    stack.down(root)


@pytest.fixture
def up(root: Path) -> Stack:
    """The stack, up; it is deployed by the first test that asks and found running by the others."""
    return stack.up(root, overrides=OVERRIDES)


def get(url: str, token: str = "") -> httpx.Response:
    headers = {"Authorization": token} if token else {}
    return httpx.get(url, headers=headers, trust_env=False, timeout=60)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def descendants(pid: int) -> set[int]:
    """``pid`` and every process that it started, or that those started."""
    found, tasks = {pid}, [pid]
    while tasks:
        for children in Path(f"/proc/{tasks.pop()}/task").glob("*/children"):
            new = {int(child) for child in children.read_text().split()} - found
            found |= new
            tasks += new
    return found


def listening_addresses(pid: int) -> set[tuple[str, int]]:
    """The TCP addresses (hex, as in /proc) and ports that ``pid`` and its descendants listen on."""
    sockets = set()
    for process in descendants(pid):
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            try:
                target = str(descriptor.readlink())
            except FileNotFoundError:
                continue
            if target.startswith("socket:["):
                sockets.add(target.removeprefix("socket:[").removesuffix("]"))
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            (
                _,
                local,
                _,
                state,
                *_,
            ) = line.split()
            inode = line.split()[9]
            if inode in sockets and (state == LISTENING or table.startswith("udp")):
                address, _, port = local.partition(":")
                found.add((address, int(port, 16)))
    return found


def admin(up: Stack, method: str, path: str, body: object = None) -> Any:
    """Ask the admin API; returns what it answers."""
    headers = {"Authorization": up.admin_token}
    answer = httpx.request(method, up.api + path, json=body, headers=headers, trust_env=False, timeout=60)
    assert answer.is_success, answer.text
    return answer.json()


def sell(up: Stack, push_url: str) -> tuple[str, int]:
    """Have a partner with a number on which an SMS has come; returns the key and the activation."""
    key = admin(up, "POST", "/admin/partners", {"name": "Pending", "pushUrl": push_url})["key"]
    admin(up, "PUT", "/admin/services/tg", {"name": "Telegram"})
    admin(up, "POST", "/admin/numbers", [{"phone": "447700900001", "country": "england", "operator": "Slow Mobile"}])
    source = admin(up, "POST", "/admin/sources", {"name": "Gateway", "provider": "generic"})
    wanted = {"action": "GET_NUMBER", "country": "england", "operator": "Slow Mobile", "service": "tg", "key": key}
    sold = httpx.post(f"{up.api}/SMSBOWER", json=wanted, trust_env=False, timeout=60).json()
    assert sold["status"] == "SUCCESS", sold
    sms = json.dumps({"phone": sold["number"], "from": "Telegram", "text": "1234"}).encode()
    signature = hmac.new(source["secret"].encode(), sms, hashlib.sha256).hexdigest()
    taken = httpx.post(source["url"], content=sms, headers={"X-Signature": signature}, trust_env=False, timeout=60)
    assert taken.is_success, taken.text
    return key, int(sold["activationId"])


def finish(up: Stack, key: str, activation_id: int) -> object:
    """Finish an activation with success; returns the answer."""
    closing = {"action": "FINISH_ACTIVATION", "key": key, "activationId": activation_id, "status": 3}
    return httpx.post(f"{up.api}/SMSBOWER", json=closing, trust_env=False, timeout=60).json()


def stocked(up: Stack, key: str) -> int:
    """How many numbers a partner is shown for Telegram in the pool `Stock`."""
    countries = get(f"{up.api}/SMSBOWER?action=GET_SERVICES&key={key}").json()["countryList"]
    return sum(country["operatorMap"].get("Stock", {}).get("tg", 0) for country in countries)


def processor_seconds(pid: int) -> float:
    """What ``pid`` itself, without its children, has had of the processors."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_stack_json_says_all_that_is_needed_to_its_owner_only(up: Stack, root: Path) -> None:
    path = Place(root).stack_file
    content = read_private(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert content is not None
    assert set(content) == {
        "api",
        "adminUser",
        "adminPassword",
        "adminToken",
        "userPoolClientId",
        "region",
        "endpointUrl",
        "stackName",
        "pid",
    }
    assert Stack.from_json(content) == up == stack.status(root)
    assert up.api.startswith(f"{up.endpoint_url}/_aws/execute-api/")
    assert up.api.endswith("/live")


def test_nobody_else_on_the_machine_can_read_what_the_stack_keeps(up: Stack, root: Path) -> None:
    admin(up, "PUT", "/admin/services/kept", {"name": "Kept"})
    stack.down(root)
    place = Place(root.resolve())
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    kept = [path for folder in (place.state, place.objects) for path in folder.rglob("*")]
    assert place.state / "dynamodb.json" in kept
    others = {str(path): oct(path.stat().st_mode) for path in kept if path.stat().st_mode & 0o077}
    assert others == {}


def test_an_unknown_path_is_our_json_404(up: Stack) -> None:
    answer = get(f"{up.api}/nothing/here")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json; charset=utf-8")
    assert answer.json()["status"] == "ERROR"


def test_only_a_token_of_staff_opens_the_admin_api(up: Stack) -> None:
    path = f"{up.api}/admin/partners"
    assert get(path).status_code == 401
    assert get(path, up.admin_token[:-8] + "AAAAAAAA").status_code == 401
    assert get(path, up.admin_token).status_code == 200


def test_the_functions_are_told_their_public_url_and_the_console_where_to_sign_in(up: Stack) -> None:
    api_id = up.api.split("/")[-2]
    gateway = session().client("apigateway", endpoint_url=up.endpoint_url)
    gateway.meta.events.register("before-parse.apigateway.GetStage", deploy.drop_method_settings)
    assert gateway.get_stage(restApiId=api_id, stageName="live")["variables"] == {
        "publicUrl": up.api,
        "cognitoUrl": f"{up.endpoint_url}/",
    }


def test_parameters_reach_the_functions(up: Stack) -> None:
    functions = session().client("lambda", endpoint_url=up.endpoint_url)
    [partner_api] = [
        function for function in functions.list_functions()["Functions"] if "PartnerApi" in function["FunctionName"]
    ]
    variables = partner_api["Environment"]["Variables"]
    assert (variables["ACTIVATION_MINUTES"], variables["CACHE_SECONDS"]) == ("30", "0")


def test_nothing_listens_anywhere_but_on_this_machine(up: Stack) -> None:
    assert get(f"{up.api}/admin/partners", up.admin_token).status_code == 200  # so that a function runs, too
    port = int(up.endpoint_url.rpartition(":")[2])
    assert listening_addresses(up.pid) == {("0100007F", port)}


def test_nothing_of_it_lies_outside_its_root(up: Stack, root: Path) -> None:
    for process in descendants(up.pid):
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            try:
                target = descriptor.readlink()
            except FileNotFoundError:
                continue
            opened_for_writing = target.is_file() and target.stat().st_mode & stat.S_IWUSR
            if opened_for_writing and target.is_absolute() and not target.is_relative_to("/dev"):
                assert target.is_relative_to(root.resolve()), target


def test_up_on_a_running_stack_is_quick_and_brings_a_fresh_token(up: Stack, root: Path) -> None:
    started = time.monotonic()
    again = stack.up(root, overrides=OVERRIDES)
    assert time.monotonic() - started < SET_UP_SECONDS
    assert (again.pid, again.api, again.admin_password) == (up.pid, up.api, up.admin_password)
    assert get(f"{up.api}/admin/partners", again.admin_token).status_code == 200


def test_a_running_stack_does_not_change_its_port(up: Stack, root: Path) -> None:
    with pytest.raises(LocalError, match="already up on port"):
        stack.up(root, port=emulator.free_port())


def test_down_saves_and_up_finds_everything_again(up: Stack, root: Path) -> None:
    kept = admin(up, "PUT", "/admin/services/kept", {"name": "Kept"})
    family = descendants(up.pid)

    assert stack.down(root) is True
    assert stack.status(root) is None
    assert not Place(root).stack_file.exists()
    deadline = time.monotonic() + 10
    while any(is_alive(pid) for pid in family) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in family if is_alive(pid)]
    assert stack.down(root) is False

    started = time.monotonic()
    again = stack.up(root, overrides=OVERRIDES)
    assert time.monotonic() - started < SET_UP_SECONDS
    assert (again.api, again.admin_password) == (up.api, up.admin_password)
    assert kept in admin(again, "GET", "/admin/services")["services"]
    assert get(f"{again.api}/nothing").status_code == 404
    assert get(f"{again.api}/admin/partners").status_code == 401
    assert get(f"{again.api}/admin/partners", up.admin_token).status_code == 200


def test_a_killed_emulator_comes_back_as_it_was_last_saved(up: Stack, root: Path) -> None:
    os.kill(up.pid, signal.SIGKILL)
    again = stack.up(root, overrides=OVERRIDES)
    assert again.pid != up.pid
    assert get(f"{again.api}/admin/partners", again.admin_token).status_code == 200


def test_the_functions_of_a_killed_emulator_end_before_the_next_one_starts(up: Stack, root: Path) -> None:
    with PretendPartner(otherwise=slow(60)) as partner:
        sell(up, partner.url)
        partner.wait_for(1, deadline=60)
        family = descendants(up.pid)
        os.kill(up.pid, signal.SIGKILL)
        emulator.start(Place(root.resolve()), emulator.free_port())
        assert not [pid for pid in family if is_alive(pid)]


def test_the_processes_of_all_functions_share_what_was_unpacked_once(up: Stack, root: Path) -> None:
    place = Place(root.resolve())
    with ThreadPoolExecutor(4) as parallel:
        answers = list(parallel.map(lambda _: get(f"{up.api}/admin/partners", up.admin_token), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    unpacked = [folder / "code" for folder in place.temporary.glob("ministack-lambda-*")]
    assert len(unpacked) > 1
    # All functions of the template are one artefact.
    assert len({code.resolve() for code in unpacked}) == 1


def test_a_restart_with_a_stock_costs_less_than_its_import_and_says_what_it_is_doing(up: Stack, root: Path) -> None:
    key = admin(up, "POST", "/admin/partners", {"name": "Counting"})["key"]
    admin(up, "PUT", "/admin/services/tg", {"name": "Telegram"})
    before = processor_seconds(up.pid)
    for first in range(0, NUMBERS, 2_000):
        phones = range(447_300_000_000 + first, 447_300_000_000 + first + 2_000)
        rows = [{"phone": str(phone), "country": "england", "operator": "Stock"} for phone in phones]
        assert admin(up, "POST", "/admin/numbers", rows)["imported"] == len(rows)
    until(lambda: stocked(up, key), lambda stock: stock == NUMBERS)
    imported = processor_seconds(up.pid) - before
    said = io.StringIO()
    stack.down(root, Progress(said))
    again = stack.up(root, overrides=OVERRIDES, progress=Progress(said))
    assert stocked(again, key) == NUMBERS
    assert processor_seconds(again.pid) < imported
    done = [line.partition(":")[0].strip() for line in said.getvalue().splitlines() if ": ok, " in line]
    assert done == [
        "stopping the emulator, which saves its data",
        "starting the emulator, which loads its data",
        "comparing what is deployed with the sources",
        "opening the API and signing in",
    ]


def test_a_pending_push_goes_on_after_down_and_up_on_another_port(up: Stack, root: Path) -> None:
    with PretendPartner(otherwise=ERROR) as partner:
        key, activation_id = sell(up, partner.url)
        tried = partner.wait_for(2, deadline=60)
        stack.down(root)
        after = stack.up(root, port=emulator.free_port(), overrides=OVERRIDES)
        assert after.endpoint_url != up.endpoint_url
        partner.wait_for(len(tried) + 2, deadline=200)
        assert {push.body["smsId"] for push in partner.pushes} == {tried[0].body["smsId"]}
        assert finish(after, key, activation_id) == {"status": "SUCCESS"}


def test_state_that_holds_an_unfinished_stack_is_set_aside(up: Stack, root: Path) -> None:
    stack.down(root)
    place = Place(root)
    saved = place.state / "cloudformation.json"
    finished = saved.read_text()
    saved.write_text(re.sub(r'"StackStatus": "\w+"', '"StackStatus": "UPDATE_IN_PROGRESS"', finished))
    assert saved.read_text() != finished
    again = stack.up(root, overrides=OVERRIDES)
    assert get(f"{again.api}/admin/partners", again.admin_token).status_code == 200
    assert list(root.glob("state-unusable-*"))


def test_a_taken_port_is_named_with_a_way_on(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((emulator.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LocalError) as failure:
            emulator.start(Place(tmp_path), port)
    assert f"Port {port}" in str(failure.value)
    assert "make up PORT=" in str(failure.value)
