"""The local stack's life: up, down, up again, killed, damaged. One stack of its own, beside any that is running."""

import io
import os
import re
import signal
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local import deploy, emulator, stack
from local.aws import CONFIG, session
from local.failure import LocalError
from local.place import Place, read_private
from local.pretend_partner import ERROR, PretendPartner, slow
from local.progress import Progress
from local.stack import Stack
from tests.contract.market import Hub, Market, until

pytestmark = pytest.mark.timeout(600)

LISTENING = "0A"
SET_UP_SECONDS = 30
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


def opened(pid: int) -> set[Path]:
    """What ``pid`` and its descendants have open: files, and sockets as in /proc."""
    found = set()
    for process in descendants(pid):
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            with suppress(FileNotFoundError):
                found.add(descriptor.readlink())
    return found


def listening_addresses(pid: int) -> set[tuple[str, int]]:
    """The TCP addresses (hex, as in /proc) and ports that ``pid`` and its descendants listen on."""
    sockets, found = {str(target) for target in opened(pid)}, set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if f"socket:[{fields[9]}]" in sockets and (fields[3] == LISTENING or table.startswith("udp")):
                address, _, port = fields[1].partition(":")
                found.add((address, int(port, 16)))
    return found


def sell(market: Market, push_url: str) -> tuple[Hub, int]:
    """Have a partner with a number on which an SMS has come; returns it and the activation."""
    hub, pool = market.hub(pushUrl=push_url), market.pool()
    activation_id: int = hub.buy(pool, market.service())["activationId"]
    assert market.gateway().deliver({"phone": pool.phones[0], "from": "Telegram", "text": "1234"}).is_success
    return hub, activation_id


def delayed(up: Stack) -> int:
    """Return how many messages are in queues and not yet due."""
    sqs: Any = session().client("sqs", endpoint_url=up.endpoint_url)
    name = "ApproximateNumberOfMessagesDelayed"
    queues = [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name]) for url in sqs.list_queues()["QueueUrls"]]
    return sum(int(queue["Attributes"][name]) for queue in queues)


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
    with Market(up) as market:
        market.service()
    stack.down(root)
    place = Place(root.resolve())
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    kept = [path for folder in (place.state, place.objects) for path in folder.rglob("*")]
    assert place.state / "dynamodb.json" in kept
    others = {str(path): oct(path.stat().st_mode) for path in kept if path.stat().st_mode & 0o077}
    assert others == {}


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
    with Market(up) as market:
        market.made("GET", "/admin/partners")  # so that a function runs, too
    port = int(up.endpoint_url.rpartition(":")[2])
    assert listening_addresses(up.pid) == {("0100007F", port)}


def test_nothing_of_it_lies_outside_its_root(up: Stack, root: Path) -> None:
    writable = {
        target
        for target in opened(up.pid)
        if target.is_absolute() and target.is_file() and target.stat().st_mode & stat.S_IWUSR
    }
    roots = (root.resolve(), "/dev")
    assert [target for target in writable if not any(target.is_relative_to(root) for root in roots)] == []


def test_up_on_a_running_stack_is_quick_and_brings_a_fresh_token(up: Stack, root: Path) -> None:
    started = time.monotonic()
    again = stack.up(root, overrides=OVERRIDES)
    assert time.monotonic() - started < SET_UP_SECONDS
    assert (again.pid, again.api, again.admin_password) == (up.pid, up.api, up.admin_password)
    with Market(again) as market:
        market.made("GET", "/admin/partners")


def test_up_signs_in_its_user_although_a_second_factor_was_set_up_from_the_console(up: Stack, root: Path) -> None:
    users = session().client("cognito-idp", endpoint_url=up.endpoint_url, config=CONFIG)
    pool_id = users.list_user_pools(MaxResults=1)["UserPools"][0]["Id"]
    users.admin_set_user_mfa_preference(
        UserPoolId=pool_id,
        Username=up.admin_user,
        SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True},
    )
    with Market(stack.up(root, overrides=OVERRIDES)) as market:
        market.made("GET", "/admin/partners")


def test_a_running_stack_does_not_change_its_port(up: Stack, root: Path) -> None:
    with pytest.raises(LocalError, match="already up on port"):
        stack.up(root, port=emulator.free_port())


def test_down_saves_and_up_finds_everything_again(up: Stack, root: Path) -> None:
    with Market(up) as market:
        kept = market.service()
    family = descendants(up.pid)
    assert (stack.down(root), stack.status(root), stack.down(root)) == (True, None, False)
    assert not Place(root).stack_file.exists()
    until(lambda: [pid for pid in family if is_alive(pid)], lambda alive: alive == [], 10)

    started = time.monotonic()
    again = stack.up(root, overrides=OVERRIDES)
    assert time.monotonic() - started < SET_UP_SECONDS
    assert (again.api, again.admin_password) == (up.api, up.admin_password)
    # Its former token is good as well.
    with Market(replace(again, admin_token=up.admin_token)) as market:
        assert kept in {service["code"] for service in market.made("GET", "/admin/services")["services"]}


def test_the_functions_of_a_killed_emulator_end_before_the_next_one_starts(up: Stack, root: Path) -> None:
    with PretendPartner(otherwise=slow(60)) as partner, Market(up) as market:
        sell(market, partner.url)
        partner.wait_for(1, deadline=60)
        family = descendants(up.pid)
        os.kill(up.pid, signal.SIGKILL)
        emulator.start(Place(root.resolve()), emulator.free_port())
        assert not [pid for pid in family if is_alive(pid)]


def test_the_processes_of_all_functions_share_what_was_unpacked_once(up: Stack, root: Path) -> None:
    place = Place(root.resolve())
    with Market(up) as market:
        market.warm_up()
        market.made("GET", "/admin/partners")
    unpacked = [folder / "code" for folder in place.temporary.glob("ministack-lambda-*")]
    assert len(unpacked) > 1
    # All functions of the template are one artefact.
    assert len({code.resolve() for code in unpacked}) == 1


def test_a_restart_with_a_stock_costs_less_than_its_import_and_says_what_it_is_doing(up: Stack, root: Path) -> None:
    with Market(up) as market:
        hub, service = market.hub(), market.service()
        before = processor_seconds(up.pid)
        pools = [market.pool(2_000) for _ in range(2)]
        until(lambda: [hub.counts(pool).get(service) for pool in pools], lambda counts: counts == [2_000, 2_000])
    imported = processor_seconds(up.pid) - before
    said = io.StringIO()
    stack.down(root, Progress(said))
    again = stack.up(root, overrides=OVERRIDES, progress=Progress(said))
    with Market(again) as market:
        counts = [replace(hub, market=market).counts(pool)[service] for pool in pools]
    assert counts == [2_000, 2_000]
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
        with Market(up) as market:
            hub, activation_id = sell(market, partner.url)
        tried = partner.wait_for(1, deadline=60)
        # A message that a function holds at the end comes back only when the queue takes it for lost, minutes later.
        until(lambda: delayed(up), bool)
        stack.down(root)
        after = stack.up(root, port=emulator.free_port(), overrides=OVERRIDES)
        assert after.endpoint_url != up.endpoint_url
        partner.wait_for(len(tried) + 1, deadline=200)
        assert {push.body["smsId"] for push in partner.pushes} == {tried[0].body["smsId"]}
        with Market(after) as market:
            assert replace(hub, market=market).finish(activation_id, 3).json() == {"status": "SUCCESS"}


def test_state_that_holds_an_unfinished_stack_is_set_aside(up: Stack, root: Path) -> None:
    stack.down(root)
    place = Place(root)
    saved = place.state / "cloudformation.json"
    finished = saved.read_text()
    saved.write_text(re.sub(r'"StackStatus": "\w+"', '"StackStatus": "UPDATE_IN_PROGRESS"', finished))
    assert saved.read_text() != finished
    again = stack.up(root, overrides=OVERRIDES)
    with Market(again) as market:
        market.made("GET", "/admin/partners")
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
