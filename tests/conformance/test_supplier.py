"""The gallery's supplier does what hubs ask: what is shown on it, is shown on a supplier that works."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from conformance.exchange import Client, Exchange, Pace
from conformance.gallery.server import serving
from conformance.gallery.supplier import KEY, OTHER_KEY, Supplier
from conformance.gallery.ways import Ways
from conformance.hubs import HUBS

JSON = {"Content-Type": "application/json", "Accept-Encoding": "gzip"}


class Hub:
    """Asks a supplier and keeps what it is pushed; `answers` are given to pushes, then SUCCESS."""

    def __init__(self, *answers: dict[str, str]) -> None:
        self.answers = [*answers]
        self.pushed: list[dict[str, Any]] = []
        self.came = threading.Condition()

    def until(self, count: int) -> list[dict[str, Any]]:
        with self.came:
            assert self.came.wait_for(lambda: len(self.pushed) >= count, 10)
            return self.pushed


@contextmanager
def listening(hub: Hub) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with hub.came:
                answer = hub.answers.pop(0) if hub.answers else {"status": "SUCCESS"}
                hub.pushed.append(body)
                hub.came.notify_all()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/push"
        server.shutdown()
        thread.join()


class Bench:
    def __init__(self, supplier: Supplier, client: Client) -> None:
        self.supplier, self.client = supplier, client

    def ask(self, action: str, key: str = KEY, **fields: Any) -> Exchange:
        body = json.dumps({"action": action, "key": key, **fields}).encode()
        return self.client.post(body, JSON)

    def buy(self, **fields: Any) -> Any:
        return self.ask("GET_NUMBER", country="russia", operator="megafon", service="tg", **fields).json

    def free(self) -> Any:
        countries = {country["country"]: country for country in self.ask("GET_SERVICES").json["countryList"]}
        return countries["russia"]["operatorMap"]["megafon"]["tg"]


@contextmanager
def bench(ways: Ways | None = None, hub: Hub | None = None, name: str = "smshub") -> Iterator[Bench]:
    with ExitStack() as stack:
        url = stack.enter_context(listening(hub)) if hub else None
        supplier = Supplier(HUBS[name], ways or Ways(), url, 0.05)
        client = Client(stack.enter_context(serving(supplier)), "no key to mask", Pace(10_000), lambda _: None)
        yield Bench(supplier, client)


def test_what_is_counted_can_be_bought_and_comes_back() -> None:
    with bench() as tried:
        free = tried.free()
        bought = [tried.buy() for _ in range(free)]
        assert len({activation["number"] for activation in bought}) == free
        assert tried.free() == 0
        assert tried.buy() == {"status": "NO_NUMBERS"}
        for activation in bought:
            ended = tried.ask("FINISH_ACTIVATION", activationId=activation["activationId"], status=5)
            assert ended.json == {"status": "SUCCESS"}
        assert tried.free() == free


@pytest.mark.parametrize("outcome", [1, 3])
def test_a_number_that_is_used_up_is_not_given_again(outcome: int) -> None:
    with bench() as tried:
        free = tried.free()
        tried.ask("FINISH_ACTIVATION", activationId=tried.buy()["activationId"], status=outcome)
        assert tried.free() == free - 1


def test_a_cancelled_number_is_given_four_times_in_all() -> None:
    with bench() as tried:
        given = []
        for _ in range(5):
            activation = tried.buy()
            given.append(activation["number"])
            tried.ask("FINISH_ACTIVATION", activationId=activation["activationId"], status=4)
        assert [number == given[0] for number in given] == [True, True, True, True, False]


def test_a_race_gives_each_number_once() -> None:
    with bench() as tried, ThreadPoolExecutor(30) as pool:
        answers = [answer.result() for answer in [pool.submit(tried.buy) for _ in range(30)]]
    numbers = [answer["number"] for answer in answers if answer["status"] == "SUCCESS"]
    assert len(numbers) == len({*numbers}) == 3


def test_prefixes_and_hints_and_foreign_finishes() -> None:
    with bench() as tried:
        given = tried.buy(exceptionPhoneSet=["7926"], sum=20.0, currency=643)
        assert str(given["number"]).startswith("7928")
        foreign = tried.ask("FINISH_ACTIVATION", OTHER_KEY, activationId=given["activationId"], status=5)
        assert foreign.field("status") == "ERROR"
        assert tried.ask("NONSENSE").field("status") == "ERROR"
        assert tried.ask("GET_SERVICES", "wrong").field("status") == "ERROR"


def test_an_sms_is_pushed_until_it_is_accepted() -> None:
    hub = Hub({"status": "ERROR"}, {"status": "ERROR"})
    with bench(hub=hub) as tried:
        given = tried.buy()
        tried.supplier.receive(str(given["number"]), "code 1 ü")
        first, *again = hub.until(3)
        assert again == [first, first]
        assert (first["phone"], first["text"]) == (given["number"], "code 1 ü")
        tried.supplier.receive(str(given["number"]), "code 2")
        assert [push["text"] for push in hub.until(4)][3:] == ["code 2"]


def test_a_finish_ends_its_pushes() -> None:
    hub = Hub(*[{"status": "ERROR"}] * 50)
    with bench(hub=hub) as tried:
        given = tried.buy()
        tried.supplier.receive(str(given["number"]), "code")
        hub.until(2)
        tried.ask("FINISH_ACTIVATION", activationId=given["activationId"], status=3)
        for thread in tried.supplier._pushing:
            thread.join(10)
            assert not thread.is_alive()
