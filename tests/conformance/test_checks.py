"""What checks ask for: of the numbers that they may buy, as the hub was agreed with, no more than they say."""

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from conformance.checks.check import Outcome, Result
from conformance.checks.running import run_checks
from conformance.exchange import Exchange
from conformance.gallery.server import serving
from conformance.gallery.supplier import KEY, OTHER_KEY, Answer, Request, Supplier
from conformance.gallery.ways import Ways
from conformance.hubs import HUBS
from conformance.push_server import PACKED_SUCCESS, SUCCESS, PushServer
from conformance.push_server import Answer as Reply
from conformance.trial import Bought, Offer, Run, Stopped, Trial
from tests.conformance.matrix import SETTINGS


class Watched(Supplier):
    """Keeps what it is asked, and how many of its numbers were live at the most."""

    def __init__(self, hub: str, ways: Ways | None = None) -> None:
        super().__init__(HUBS[hub], ways or Ways(), None, 1.0)
        self.asked: list[Request] = []
        self.most_live = 0

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        answer = super().answer(request)
        live = [one for one in [*self.stock.activations.values()] if self.stock.is_live(one)]
        self.most_live = max(self.most_live, len(live))
        return answer


def _run(supplier: Watched, only: Iterable[str] | None = None, **settings: Any) -> Sequence[Result]:
    with serving(supplier) as url:
        wanted = replace(SETTINGS, url=url, outlive=None, sms=supplier.receive, **settings)
        return run_checks(supplier.hub, wanted, only=only)


@pytest.mark.parametrize("hub", HUBS)
def test_what_is_bought_can_be_narrowed_down(hub: str) -> None:
    supplier = Watched(hub)
    operator = "any" if HUBS[hub].any_operator == "alone" else "megafon"
    results = _run(supplier, country="russia", operator=operator, service="wa", destructive=False)
    assert [result.why for result in results if result.outcome is Outcome.FAILED] == []
    not_run = {result.check.name for result in results if result.outcome is Outcome.NOT_RUN and not result.check.needs}
    assert not_run == {"operator-meant", "never-twice-service"} & HUBS[hub].rules.keys()
    bought = {(one.number.operator, one.service) for one in supplier.stock.activations.values()}
    assert bought == {("megafon", "wa")}


@pytest.mark.parametrize("hub", ["seed", "onlinesim"])
def test_no_check_holds_more_than_it_says(hub: str) -> None:
    of_many = {"at-once", "never-twice", "counts-sold", "counts-follow"}
    for names, most in ((of_many, SETTINGS.many), (HUBS[hub].rules.keys() - of_many, SETTINGS.most)):
        supplier = Watched(hub)
        _run(supplier, names)
        assert 0 < supplier.most_live <= most


def test_a_hub_that_was_agreed_with_otherwise_asks_at_the_url_alone() -> None:
    supplier = Watched("onlinesim", Ways(paths=False))
    results = {result.check.name: result for result in _run(supplier, paths=False)}
    assert [name for name, result in results.items() if result.outcome is Outcome.FAILED] == []
    assert results["paths"].why == results["paths-without-action"].why == "needs PATHS"
    assert {asked.target for asked in supplier.asked} == {"/"}


def test_remarks_say_what_was_bought_and_of_what() -> None:
    results = _run(Watched("onlinesim"), ["at-once", "counts-sold"])
    assert [result.why for result in results] == [
        "3 of 8 sold of russia, megafon, vk, 3 were counted",
        "8 of 33 bought, 3 of 3 bought",
    ]
    (counted,) = _run(Watched("grizzly", Ways(rival_buys=4)), ["counts-sold"])
    assert counted.why == "8 of 33 bought, 2 of 2 bought at try 2"


@pytest.mark.parametrize(
    ("name", "hub", "ways", "asked", "answered"),
    [
        ("gzip", "smsbower", Ways(gzip="no sales"), "GET_NUMBER", "SUCCESS"),
        ("get-method", "seed", Ways(query_excludes="never"), "exceptionPhoneSet=", "SUCCESS"),
        ("operator-meant", "smshub", Ways(mixes_operators=True), "exceptionPhoneSet", "SUCCESS"),
        ("never-twice", "smshub", Ways(overflows_at=3), "GET_NUMBER", "SUCCESS"),
        ("at-once", "smshub", Ways(losers="both", numbers_of_each=2), "GET_NUMBER", "SUCCESS"),
        ("counts-sold", "smshub", Ways(overstates=3), "GET_NUMBER", "NO_NUMBERS"),
        ("counts-follow", "smshub", Ways(keeps_sold=True), "GET_SERVICES", "SUCCESS"),
        ("excluded-number", "smshub", Ways(excludes="not whole"), "exceptionPhoneSet", "SUCCESS"),
        ("excluded-number", "seed", Ways(excludes="near ones"), "exceptionPhoneSet", "NO_NUMBERS"),
        ("excluded-prefix", "smshub", Ways(excludes="never"), "exceptionPhoneSet", "SUCCESS"),
        ("excluded-prefix", "grizzly", Ways(excludes="parts"), "exceptionPhoneSet", "NO_NUMBERS"),
        ("hints", "seed", Ways(least_sum=1.0), '"sum": "0.01"', "NO_NUMBERS"),
        ("never-twice-service", "smshub", Ways(apart="service"), "exceptionPhoneSet", "SUCCESS"),
    ],
)
def test_a_failure_is_shown_by_the_request_that_was_answered_wrongly(
    name: str, hub: str, ways: Ways, asked: str, answered: str
) -> None:
    (result,) = _run(Watched(hub, ways), [name], poll=0.1)
    assert result.outcome is Outcome.FAILED
    assert result.asked
    assert asked in result.asked.url + result.asked.shown.body
    assert result.asked.field("status") == answered


def test_what_is_no_json_is_shown_by_its_request() -> None:
    (result,) = _run(Watched("onlinesim", Ways(content_types={"ERROR": "text/html"})), ["answer-content-type"])
    assert result.asked
    assert result.asked.field("status") == "ERROR"


def test_a_packed_request_is_kept_unpacked_so_that_its_key_is_masked() -> None:
    supplier = Watched("smshub")
    (result,) = _run(supplier, ["gzip-request"])
    assert KEY.encode() in gzip.decompress(supplier.asked[0].body)
    assert '"GET_SERVICES"' in result.exchanges[0].shown.body
    assert KEY not in result.exchanges[0].shown.body


@pytest.mark.parametrize("hub", ["smshub", "onlinesim"])
def test_only_what_the_hub_times_is_held_against_a_slow_supplier(hub: str) -> None:
    supplier = Watched(hub)
    # What the second has bought is given back when it has ended.
    *_, timed = _run(supplier, ["finish-repeated", "number-type", "answers-in-time"], within=1e-9)
    asked = [b"FINISH_ACTIVATION" not in request.body for request in supplier.asked]
    counted = sum(asked) if hub == "onlinesim" else len(asked)
    assert timed.why.startswith(f"{counted} of {counted} answers took longer")


@pytest.mark.parametrize("name", ["prohibited-gone", "sold-gone", "cancel-limit", "finish-stale"])
def test_a_number_that_rests_after_it_was_given_back_prevents_nothing(name: str) -> None:
    (result,) = _run(Watched("smshub", Ways(gone_after=(5,))), [name])
    assert result.why == "The number that was given back didn't come again."
    assert (result.outcome, result.is_prevented) == (Outcome.NOT_RUN, False)


class Agreeing(Watched):
    """Says SUCCESS to each FINISH of a strange outcome or of another key, and minds none."""

    def answer(self, request: Request) -> Answer:
        if b"FINISH_ACTIVATION" in request.body and (b"999" in request.body or KEY.encode() not in request.body):
            return Answer(200, {"status": "SUCCESS"})
        return super().answer(request)


@pytest.mark.parametrize("name", ["finish-foreign", "finish-strange-outcome", "bad-key"])
def test_what_a_wrong_success_has_not_ended_is_given_back(name: str) -> None:
    supplier = Agreeing("smshub")
    (result,) = _run(supplier, [name])
    assert (result.outcome, result.left) == (Outcome.FAILED, ())
    assert not any(supplier.stock.is_live(one) for one in supplier.stock.activations.values())


class Counting(Watched):
    """Counts the activations of each key by themselves."""

    def answer(self, request: Request) -> Answer:
        fields = json.loads(request.body)
        mine = self.ids.setdefault(fields["key"], [])
        if "activationId" in fields and fields["activationId"] < len(mine):
            request = replace(
                request, body=json.dumps({**fields, "activationId": mine[fields["activationId"]]}).encode()
            )
        answer = super().answer(request)
        if isinstance(answer.content, dict) and "activationId" in answer.content:
            mine.append(answer.content["activationId"])
            return replace(answer, content={**answer.content, "activationId": len(mine) - 1})
        return answer

    def __init__(self, hub: str) -> None:
        super().__init__(hub)
        self.ids: dict[str, list[Any]] = {}


def test_each_key_may_have_ids_of_its_own() -> None:
    supplier = Counting("seed")
    results = _run(supplier, ["never-twice-key", "finish-foreign"], other_key=OTHER_KEY)
    assert [(result.outcome, result.why) for result in results] == [
        (Outcome.PASSED, ""),
        (Outcome.NOT_RUN, "KEY2 has an activation of that id, too."),
    ]
    assert not any(supplier.stock.is_live(one) for one in supplier.stock.activations.values())


@pytest.mark.parametrize("content", ["<h1>Bad Gateway</h1>", {"message": "Internal server error"}, [1]])
def test_what_an_unreadable_answer_may_have_sold_is_told(content: Any) -> None:
    class Broken(Watched):
        def answer(self, request: Request) -> Answer:
            answer = super().answer(request)
            return Answer(502, content) if b"GET_NUMBER" in request.body else answer

    (result,) = _run(Broken("smshub"), ["number-type"])
    assert result.left == ("what a GET_NUMBER without an answer, or with none that can be read, may have sold",)


def test_an_interrupt_sends_no_sms_any_more() -> None:
    run = Run(HUBS["smshub"], replace(SETTINGS, sms=lambda *_: pytest.fail("an SMS")))
    run.stopping.set()
    with pytest.raises(Stopped):
        Trial(run).sms("4474")


def test_the_curl_of_a_packed_request_packs_what_was_sent() -> None:
    (result,) = _run(Watched("smshub", Ways(unpacks_requests=False)), ["gzip-request"])
    assert result.asked
    assert result.asked.body == result.exchanges[0].body
    assert """<(printf %s '{"action": "GET_SERVICES", "key": "'"$KEY"'"}' | gzip)""" in result.asked.curl()


@pytest.mark.parametrize(
    ("hub", "answer", "ends"),
    [
        ("smshub", SUCCESS, True),
        ("smshub", PACKED_SUCCESS, True),
        ("smshub", Reply(body=b"{}"), False),
        ("smshub", Reply(body=b'{"status":"NO_OP"}'), False),
        ("onlinesim", Reply(body=b"{}"), True),
        ("onlinesim", Reply(500, SUCCESS.body), False),
        ("onlinesim", Reply(400, b'{"status":"NO_OP"}'), True),
        ("seed", Reply(closes=True), False),
    ],
)
def test_a_push_is_over_when_the_hub_says_so(hub: str, answer: Reply, *, ends: bool) -> None:
    with PushServer() as pushes:
        run = Run(HUBS[hub], replace(SETTINGS, pushes=pushes, soon=0.0))
        ended, looking = Trial(run), Trial(run)
        none = Exchange("", "", {}, b"", 200, {}, b"", 0.0)
        inbox = ended.inbox(Bought(Offer("england", "o2", "tg", 1), 4474, 1, "4474", none), answer)
        inbox.words.add("code")
        for _ in range(2):
            assert not looking.has_ended
            pushes.receive("POST", "/", {}, b'{"phone": "4474", "text": "code"}')
        ended.tidy_up()
        assert looking.has_ended == ends
        pushes.receive("POST", "/", {}, b'{"phone": "4474", "text": "code"}')
        ((_, was_accepted),) = looking.late()
        assert was_accepted == ends
