"""Every call to AWS that a handler makes fails once, in every way, or is the first that AWS does not hear of: what was asked
is refused clearly or done later, and nothing is half done, lost or done twice when it is asked again.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

import projection.wiring as projection_wiring
from globalconnect.domain.activation import Outcome
from globalconnect.domain.errors import GlobalConnectError
from globalconnect.domain.ids import SourceId
from globalconnect.domain.partner import Partner, in_clear
from globalconnect.domain.sms import PushState
from globalconnect.runtime.startup import Environment
from globalconnect.store.numbers import Numbers
from recount.recount import Recount
from simulation.desk import Desk
from simulation.failing import Fault, Nth, failing_cloud
from simulation.pieces import Pieces
from simulation.shop import COUNTRY, OPERATOR, Reply, Shop, present

PHONES = ["447472190081", "447472190082", "447472190083"]
SMS = {"phone": PHONES[0], "from": "Microsoft", "text": "Your code: 5015", "id": "1"}
LINE = "dv-19:2"
ON_LINE = {"line": LINE, "from": "Microsoft", "text": "Your code: 5015"}
OK = 200
DONE = {OK, 201, 202}
# What is asked again may find itself done (409), or too many at it (503).
CLEAR = {409, 503}
# Only what AWS did not do, or did not answer, is a failure of ours.
OURS = {Fault.UNHEARD: {500}, Fault.UNANSWERED: {500}, Fault.BROKEN: {500}}


@dataclass(frozen=True, slots=True)
class Scene:
    """What is asked of a shop that may fail, and what must be so once it was asked again of one that doesn't."""

    ask: Callable[[Shop], Reply | None]
    check: Callable[[], None]
    # What a condition that does not hold may come to here: the number is not there, the id by chance was taken.
    refused: frozenset[int] = frozenset()
    # What one who asks again may hear when it was done the first time.
    again: frozenset[int] = frozenset()


def get_services(shop: Shop) -> Scene:
    shop.stock(*PHONES)
    shop.project()
    partner = shop.partner()
    counted = shop.call(partner, "GET_SERVICES").body
    return Scene(
        lambda failing: failing.call(partner, "GET_SERVICES"),
        lambda: _same(shop.call(partner, "GET_SERVICES").body, counted),
    )


def get_number(shop: Shop) -> Scene:
    shop.stock(*PHONES)
    partner = shop.partner()
    replies: list[Reply] = []

    def ask(failing: Shop) -> Reply:
        replies.append(failing.buy(partner))
        return replies[-1]

    def check() -> None:
        told = {reply.body["activationId"]: reply.body["number"] for reply in replies if reply.status == OK}
        held = {number.activation_id: number.phone for number in shop.all_numbers() if number.activation_id}
        assert told.items() <= held.items()
        # One more may be held for each whose answer was an error.
        assert 0 < len(held) <= len(replies)
        assert all(present(shop.activations.get(one)).phone == phone for one, phone in held.items())

    return Scene(ask, check)


def finish(outcome: Outcome) -> Callable[[Shop], Scene]:
    def prepared(shop: Shop) -> Scene:
        shop.stock(*PHONES)
        partner, activation_id = shop.sold()
        phone = present(shop.activations.get(activation_id)).phone  # type: ignore[arg-type]

        def check() -> None:
            number = present(shop.numbers.get(phone))
            assert present(shop.activations.get(activation_id)).outcome is outcome  # type: ignore[arg-type]
            assert number.activation_id is None
            marks = {Outcome.SUCCESS: ({"tg"}, {}), Outcome.CANCELED: (set(), {"tg": 1})}[outcome]
            assert (set(number.blocked), number.cancels) == marks

        return Scene(lambda failing: failing.finish(partner, activation_id, outcome.value), check)

    return prepared


def getsms(shop: Shop) -> Scene:
    shop.stock(*PHONES)
    partner, activation_id = shop.sold()
    return Scene(
        lambda failing: failing.messages(partner, activation_id),
        lambda: _same(shop.messages(partner, activation_id).body["status"], "WAIT_CODE"),
    )


def inbound(shop: Shop) -> Scene:
    shop.stock(PHONES[0])
    partner, activation_id = shop.sold()
    source_id = shop.source()

    def check() -> None:
        assert [one["text"] for one in shop.messages(partner, activation_id).body["messages"]] == [SMS["text"]]

    return Scene(lambda failing: failing.deliver(source_id, SMS), check)


def inbound_on_a_new_line(named: dict[str, str]) -> Callable[[Shop], Scene]:
    def prepared(shop: Shop) -> Scene:
        shop.stock(PHONES[0])
        sold, source_id = shop.sold(), shop.source()

        def check() -> None:
            assert _everywhere(shop, sold) == [("waiting", SMS["text"])]
            assert Desk(shop.cloud).put(_lines(source_id), [{"line": LINE, "phone": PHONES[0]}]).status == OK
            assert _everywhere(shop, sold) == [("sold", SMS["text"])]

        return Scene(lambda failing: _delivered(failing, source_id, ON_LINE | named), check)

    return prepared


def inbound_in_parts(shop: Shop) -> Scene:
    shop.stock(PHONES[0])
    sold, source_id = shop.sold(), shop.source()
    words = SMS["text"].partition(": ")
    parts = [{**SMS, "id": str(n), "text": text, "part": ["7", n, 3]} for n, text in enumerate(words, start=1)]

    def ask(failing: Shop) -> Reply:
        failing.inbound_parts = replace(failing.inbound_parts, provider=lambda _: Pieces())
        # Who is refused one goes on with the others.
        replies = [_delivered(failing, source_id, part) for part in parts]
        return max(replies, key=lambda reply: reply.status)

    def check() -> None:
        assert _everywhere(shop, sold) == [("sold", SMS["text"])]
        assert shop.inbound_parts.long_sms.incomplete(10, None, shop.cloud.clock()).items == []

    return Scene(ask, check)


def inbound_to_a_number_that_is_tried_out(shop: Shop) -> Scene:
    shop.stock(*PHONES[:2])
    sold, source_id = shop.sold(), shop.source()
    free = next(number.phone for number in shop.all_numbers() if number.activation_id is None)
    assert Desk(shop.cloud).post(f"/admin/numbers/{free}/test").status == OK
    return Scene(
        lambda failing: _delivered(failing, source_id, {**SMS, "phone": free}),
        lambda: _same(_everywhere(shop, sold), [("tests", SMS["text"])]),
    )


def _pool(shop: Shop) -> tuple[SourceId, Partner, int]:
    """Return a pool of modems with a line for each number, of which one is sold."""
    shop.stock(*PHONES)
    source_id = SourceId(shop.source("ejoin", {"silent_is_offline": True}))
    shop.inbound_parts.lines.replace(source_id, {f"1.0{place}": phone for place, phone in enumerate(PHONES, start=1)})
    shop.settle_lines()
    return source_id, *shop.sold()


def _states(st: int) -> dict[str, object]:
    return {"type": "dev-status", "status": [{"port": f"1.0{place}", "st": st} for place in (1, 2, 3)]}


def _offline(shop: Shop) -> list[bool]:
    shop.settle_lines()
    return [number.offline is not None for number in shop.all_numbers()]


def report_on_lines(shop: Shop) -> Scene:
    source_id, *_ = _pool(shop)
    shop.deliver(source_id, _states(3))
    return Scene(
        lambda failing: failing.deliver(source_id, _states(0)), lambda: _same(_offline(shop), [True] * len(PHONES))
    )


def lines_that_go_offline(shop: Shop) -> Scene:
    source_id, partner, activation_id = _pool(shop)
    shop.deliver(source_id, _states(0))

    def check() -> None:
        assert _offline(shop) == [True] * len(PHONES)
        assert present(shop.activations.get(activation_id)).line_offline_at is not None  # type: ignore[arg-type]
        assert shop.buy(partner).body["status"] == "NO_NUMBERS"

    return Scene(lambda failing: failing.settle_lines(), check)


def lines_that_come_back(shop: Shop) -> Scene:
    source_id, partner, _ = _pool(shop)
    for st in (0, 3):
        shop.deliver(source_id, _states(st))
        if st == 0:
            shop.settle_lines()

    def check() -> None:
        assert _offline(shop) == [False] * len(PHONES)
        assert shop.buy(partner).body["status"] == "SUCCESS"

    return Scene(lambda failing: failing.settle_lines(), check)


def sms_on_a_line_that_is_offline(shop: Shop) -> Scene:
    source_id, partner, activation_id = _pool(shop)
    shop.deliver(source_id, _states(0))
    shop.settle_lines()
    shop.cloud.clock.advance(seconds=1)
    phone = present(shop.activations.get(activation_id)).phone  # type: ignore[arg-type]

    def check() -> None:
        assert present(shop.numbers.get(phone)).offline is None
        assert _everywhere(shop, (partner, activation_id)) == [("sold", SMS["text"])]

    generic = shop.source()
    return Scene(lambda failing: _delivered(failing, generic, {**SMS, "phone": phone}), check)


def devices_that_fall_silent(shop: Shop) -> Scene:
    source_id, *_ = _pool(shop)
    shop.deliver(source_id, _states(3))
    shop.cloud.clock.advance(minutes=5)

    def ask(failing: Shop) -> None:
        failing.silence()

    return Scene(ask, lambda: _same(_offline(shop), [True] * len(PHONES)))


def putting_a_number_online(shop: Shop) -> Scene:
    source_id, *_ = _pool(shop)
    shop.deliver(source_id, _states(0))
    shop.settle_lines()
    shop.cloud.clock.advance(seconds=1)
    return Scene(
        lambda failing: Desk(failing.cloud).post(f"/admin/numbers/{PHONES[2]}/online"),
        lambda: _same(_offline(shop), [True, True, False]),
    )


def sweep(shop: Shop) -> Scene:
    shop.stock(*PHONES)
    shop.sold()
    shop.cloud.clock.advance(minutes=61)

    def ask(failing: Shop) -> None:
        failing.sweep()

    return Scene(ask, lambda: _same([number.activation_id for number in shop.all_numbers()], [None] * len(PHONES)))


def projection(shop: Shop) -> Scene:
    shop.stock(*PHONES)
    shop.sold()

    def ask(failing: Shop) -> None:
        failing.project()

    def check() -> None:
        (pool,) = shop.counts.every_pool()
        assert (pool.total, pool.free, [count.held for count in shop.counts.every_holder()]) == (3, 2, [1])

    return Scene(ask, check)


def hourly_counts(shop: Shop) -> Scene:
    shop.stock(*PHONES)
    # The first run of an hour counts a day of them, each like any other.
    shop.measure()
    shop.cloud.clock.advance(minutes=3)
    shop.sold()

    def ask(failing: Shop) -> None:
        failing.measure()

    def check() -> None:
        now = shop.cloud.clock()
        assert sum(hour.counts.live for hour in shop.statistics.hours(0, now)) == 1

    return Scene(ask, check)


def import_of_numbers(shop: Shop) -> Scene:
    rows = "phone,country,operator\n" + "".join(f"{phone},{COUNTRY},{OPERATOR}\n" for phone in PHONES)

    def ask(failing: Shop) -> Reply:
        return Desk(failing.cloud).upload(rows)

    return Scene(ask, lambda: _same(sorted(number.phone for number in shop.all_numbers()), PHONES))


def change_of_a_partner(shop: Shop) -> Scene:
    partner = shop.partner()
    return Scene(
        lambda failing: Desk(failing.cloud).patch(f"/admin/partners/{partner.partner_id}", {"name": "New"}),
        lambda: _same(shop.partners.get(partner.partner_id).name, "New"),
    )


def names_of_a_partner(shop: Shop) -> Scene:
    partner = shop.partner()
    shop.stock(PHONES[0])
    shop.project()

    def check() -> None:
        (country,) = shop.call(partner, "GET_SERVICES").body["countryList"]
        _same(country["country"], "uk")

    path = f"/admin/partners/{partner.partner_id}/names"
    return Scene(lambda failing: Desk(failing.cloud).put(path, {"countries": {COUNTRY: "uk"}}), check)


def revocation(shop: Shop) -> Scene:
    partner = shop.partner()
    return Scene(
        lambda failing: Desk(failing.cloud).delete(f"/admin/partners/{partner.partner_id}"),
        lambda: _same(shop.call(partner, "GET_SERVICES").status, 401),
    )


def rotation_of_a_key(shop: Shop) -> Scene:
    partner = shop.partner()
    keys: list[str] = []

    def ask(failing: Shop) -> Reply:
        path = f"/admin/partners/{partner.partner_id}/rotate-key"
        reply = Desk(failing.cloud, seed=10 + len(keys)).post(path)
        keys.append(reply.body.get("key", ""))
        return reply

    def check() -> None:
        *former, newest = [
            shop.post({"key": key, "action": "GET_SERVICES"}).status for key in [in_clear(partner.key), *keys]
        ]
        assert (set(former), newest) == ({401}, OK)
        partners = Desk(shop.cloud).admin.partners
        assert partners.secrets(partners.get(partner.partner_id), 0).key == keys[-1]

    return Scene(ask, check)


def lifting_of_marks(shop: Shop) -> Scene:
    shop.stock(PHONES[0])
    partner, activation_id = shop.sold()
    shop.finish(partner, activation_id, Outcome.PROHIBITED.value)
    path, body = f"/admin/numbers/{PHONES[0]}/lift-marks", {"service": "tg", "reason": "A mistake"}
    return Scene(
        lambda failing: Desk(failing.cloud).post(path, body),
        lambda: _same(present(shop.numbers.get(PHONES[0])).blocked, frozenset()),
    )


def end_of_an_overdue_activation(shop: Shop) -> Scene:
    shop.stock(PHONES[0])
    partner = shop.partner(dialect="smshub")
    activation_id = shop.buy(partner).body["activationId"]
    shop.cloud.clock.advance(minutes=61)

    def check() -> None:
        assert shop.messages(partner, activation_id).body == {"status": "EXPIRED"}
        (number,) = shop.all_numbers()
        assert (number.activation_id, number.overdue_at, number.version) == (None, None, 2)
        assert shop.buy(shop.partner()).body["status"] == "SUCCESS"

    return Scene(
        lambda failing: Desk(failing.cloud).post(f"/admin/activations/{activation_id}/end"), check, frozenset({404})
    )


def import_in_parts(shop: Shop) -> Scene:
    rows = ["phone,country,operator\n" + f"{phone},{COUNTRY},{OPERATOR}\n" for phone in PHONES]
    import_id = Desk(shop.cloud).post("/admin/imports", {"fileName": "numbers.csv"}).body["importId"]
    path = f"/admin/imports/{import_id}"

    def ask(failing: Shop) -> Reply:
        desk = Desk(failing.cloud)
        for part, content in enumerate(rows, start=1):
            reply = desk.send_part(import_id, part, content)
            if reply.status != OK:
                return reply
        return desk.post(f"{path}/finish")

    def check() -> None:
        desk = Desk(shop.cloud)
        job, rejected = desk.get(path).body, desk.all_pages(f"{path}/rejected", "rejected")
        # A row that is refused as if somebody else had it is told, and can be sent again.
        taken = [phone for row, phone in enumerate(PHONES, start=1) if row not in {each["row"] for each in rejected}]
        assert sorted(number.phone for number in shop.all_numbers()) == taken
        assert (job["state"], job["parts"], job["rows"]) == ("finished", 3, 3)
        assert (job["imported"], job["updated"], job["rejected"]) == (len(taken), 0, len(rejected))

    return Scene(ask, check)


def recount(shop: Shop) -> Scene:
    shop.stock(*PHONES)
    partner, _ = shop.sold()

    def ask(failing: Shop) -> None:
        env = Environment(shop.cloud.env)
        numbers = Numbers(failing.cloud.db, env.text("NUMBERS_TABLE"))
        Recount(
            numbers,
            projection_wiring.build(env, failing.cloud.db, failing.cloud.clock),
            lambda: "recount",
            lambda _: None,
        ).run()

    def check() -> None:
        (pool,) = shop.counts.every_pool()
        assert (pool.total, pool.free, pool.recount) == (3, 2, None)
        assert [(count.partner_id, count.held) for count in shop.counts.every_holder()] == [(partner.partner_id, 1)]

    return Scene(ask, check)


def issue_of_a_key(shop: Shop) -> Scene:
    keys: list[str] = []

    def ask(failing: Shop) -> Reply:
        reply = Desk(failing.cloud, seed=len(keys)).post("/admin/partners", {"name": "Hub"})
        keys.append(reply.body.get("key", ""))
        return reply

    def check() -> None:
        listed = Desk(shop.cloud).get("/admin/partners").body["partners"]
        # One more may be there for each whose answer was an error: it is listed, and can be revoked.
        assert len([key for key in keys if key]) <= len(listed) <= len(keys)
        for key in filter(None, keys):
            assert shop.post({"key": key, "action": "GET_SERVICES"}).status == OK

    return Scene(ask, check, frozenset({500}))


def signing(shop: Shop) -> Scene:
    partner = shop.partner()
    path = f"/admin/partners/{partner.partner_id}/signing-secret"
    return Scene(
        lambda failing: Desk(failing.cloud).post(path),
        lambda: _same(Desk(shop.cloud).get(f"/admin/partners/{partner.partner_id}").body["signed"], True),
    )


def pause(shop: Shop) -> Scene:
    shop.stock(*PHONES)
    partner = shop.partner()
    return Scene(
        lambda failing: Desk(failing.cloud).post(f"/admin/partners/{partner.partner_id}/pause", {"reason": "Late"}),
        lambda: _same(shop.buy(partner).body, {"status": "NO_NUMBERS"}),
    )


def lifting_of_a_partners_marks(shop: Shop) -> Scene:
    shop.stock(*PHONES)
    partner = shop.partner()
    for _ in PHONES:
        shop.finish(partner, shop.buy(partner).body["activationId"], Outcome.PROHIBITED.value)
    path, body = f"/admin/partners/{partner.partner_id}/lift-marks", {"since": "2020-01-01T00:00:00Z", "reason": "Why"}
    return Scene(
        lambda failing: Desk(failing.cloud).post(path, body),
        lambda: _same({number.blocked for number in shop.all_numbers()}, {frozenset()}),
    )


def service(shop: Shop) -> Scene:
    return Scene(
        lambda failing: Desk(failing.cloud).put("/admin/services/tg", {"name": "Telegram", "cancelLimit": 2}),
        lambda: _same(present(shop.services.find("tg")).cancel_limit, 2),
    )


def withdrawal(shop: Shop) -> Scene:
    shop.stock(*PHONES)
    return Scene(
        lambda failing: Desk(failing.cloud).patch("/admin/numbers", {"phones": PHONES, "enabled": False}),
        lambda: _same({number.enabled for number in shop.all_numbers()}, {False}),
        frozenset({404}),
    )


def secret_of_a_source(shop: Shop) -> Scene:
    source_id, secret = shop.source(), "another secret of the source"

    def check() -> None:
        signature = hmac.new(secret.encode(), json.dumps(SMS).encode(), hashlib.sha256).hexdigest()
        assert shop.deliver(source_id, SMS, signature=signature).status == OK

    return Scene(
        lambda failing: Desk(failing.cloud).post(f"/admin/sources/{source_id}/secret", {"secret": secret}), check
    )


def lines_of_a_source(shop: Shop) -> Scene:
    shop.stock(PHONES[0])
    sold, source_id = shop.sold(), shop.source()
    shop.inbound_parts.lines.replace(SourceId(source_id), {"1A": PHONES[1], "1B": PHONES[2]})
    _delivered(shop, source_id, ON_LINE)
    wanted = {LINE: PHONES[0], "1A": PHONES[2]}
    rows = [{"line": line, "phone": phone} for line, phone in wanted.items()]

    def check() -> None:
        assert {one.line: one.phone for one in shop.inbound_parts.lines.every(SourceId(source_id))} == wanted
        assert _everywhere(shop, sold) == [("sold", SMS["text"])]
        # Its gateway has not heard that it was taken.
        assert _delivered(shop, source_id, ON_LINE).status == OK
        assert _everywhere(shop, sold) == [("sold", SMS["text"])]

    return Scene(lambda failing: Desk(failing.cloud).put(_lines(source_id), rows), check)


def change_of_a_source(shop: Shop) -> Scene:
    shop.stock(PHONES[0])
    sold, source_id = shop.sold(), shop.source()
    _delivered(shop, source_id, ON_LINE)
    change = {"name": "New", "settings": {"countryCode": "44", "lines": {LINE: PHONES[0]}}}

    def check() -> None:
        (source,) = Desk(shop.cloud).get("/admin/sources").body["sources"]
        assert (source["name"], source["settings"]) == ("New", {"countryCode": "44"})
        assert _everywhere(shop, sold) == [("sold", SMS["text"])]

    return Scene(
        lambda failing: Desk(failing.cloud).patch(f"/admin/sources/{source_id}", change), check, frozenset({404})
    )


def entry_of_a_source_with_lines(shop: Shop) -> Scene:
    # More than a transaction takes.
    wanted = {str(place): str(447_000_000_000 + place) for place in range(60)}
    new = {"name": "Rack", "provider": "generic", "settings": {"countryCode": "44", "lines": wanted}}
    replies: list[Reply] = []

    def ask(failing: Shop) -> Reply:
        replies.append(Desk(failing.cloud, seed=len(replies)).post("/admin/sources", new))
        return replies[-1]

    def check() -> None:
        told = replies[-1].body
        (source,) = Desk(shop.cloud).get("/admin/sources").body["sources"]
        assert source == {name: told[name] for name in source}
        assert {one.line: one.phone for one in shop.inbound_parts.lines.every(told["sourceId"])} == wanted
        body = json.dumps(SMS).encode()
        signature = hmac.new(told["secret"].encode(), body, hashlib.sha256).hexdigest()
        assert shop.deliver(told["sourceId"], SMS, signature=signature).status == OK
        # Its gateway has the secret now.
        assert Desk(shop.cloud).post("/admin/sources", new).refusal == (
            409,
            f"source: it is {told['sourceId']} already",
        )

    return Scene(ask, check, frozenset({500}))


def removal_of_a_source(shop: Shop) -> Scene:
    shop.stock(PHONES[0])
    sold, source_id = shop.sold(), shop.source()
    shop.inbound_parts.lines.replace(SourceId(source_id), {"1A": PHONES[1], "1B": PHONES[2]})
    _delivered(shop, source_id, ON_LINE)

    def check() -> None:
        assert Desk(shop.cloud).get("/admin/sources").body["sources"] == []
        # What the request did not get to, the next minute does.
        shop.sweep()
        assert _everywhere(shop, sold) == [("unclaimed", SMS["text"])]
        assert {one.phone for one in shop.inbound_parts.lines.every(SourceId(source_id))} <= {None}
        rows = [{"line": str(place), "phone": phone} for place, phone in enumerate(PHONES)]
        assert Desk(shop.cloud).put(_lines(shop.source()), rows).status == OK

    return Scene(
        lambda failing: Desk(failing.cloud).delete(f"/admin/sources/{source_id}"),
        check,
        frozenset({404}),
        frozenset({404}),
    )


def trying_out_of_a_number(shop: Shop) -> Scene:
    shop.stock(*PHONES[:2])
    sold, source_id = shop.sold(), shop.source()
    free = next(number.phone for number in shop.all_numbers() if number.activation_id is None)

    def check() -> None:
        assert shop.buy(sold[0]).body == {"status": "NO_NUMBERS"}
        _delivered(shop, source_id, {**SMS, "phone": free})
        assert _everywhere(shop, sold) == [("tests", SMS["text"])]

    return Scene(lambda failing: Desk(failing.cloud).post(f"/admin/numbers/{free}/test"), check)


def replay(shop: Shop) -> Scene:
    shop.stock(PHONES[0])
    sold, source_id, provider = shop.sold(), shop.source(), Pieces(is_mended=False)
    shop.inbound_parts = replace(shop.inbound_parts, provider=lambda _: provider)
    _delivered(shop, source_id, {**SMS, "new": True})
    (payload,) = Desk(shop.cloud).get("/admin/unreadable").body["payloads"]
    provider.is_mended = True

    def ask(failing: Shop) -> Reply:
        desk = Desk(failing.cloud)
        desk.admin = replace(desk.admin, inbound=replace(desk.admin.inbound, provider=lambda _: provider))
        return desk.post(f"/admin/unreadable/{payload['payloadId']}/replay")

    def check() -> None:
        assert _everywhere(shop, sold) == [("sold", SMS["text"])]
        assert Desk(shop.cloud).get("/admin/unreadable").body["payloads"] == []
        # Its gateway, which was refused, has not given up.
        assert _delivered(shop, source_id, {**SMS, "new": True}).status == OK
        assert _everywhere(shop, sold) == [("sold", SMS["text"])]

    return Scene(ask, check)


def push_again(shop: Shop) -> Scene:
    shop.stock(PHONES[0])
    partner = shop.partner(push_url="https://hub.example/push")
    activation_id = shop.buy(partner).body["activationId"]
    shop.deliver(shop.source(), SMS)
    (sms,) = present(shop.activations.sale(activation_id)).sms
    path = f"/admin/activations/{activation_id}/messages/{sms.sms_id}/push"

    def check() -> None:
        assert present(shop.activations.sale(activation_id)).sms[0].push_state is PushState.PENDING
        assert shop.cloud.queued()

    return Scene(lambda failing: Desk(failing.cloud).post(path), check)


SCENES = {
    "GET_SERVICES": get_services,
    "GET_NUMBER": get_number,
    "FINISH success": finish(Outcome.SUCCESS),
    "FINISH cancel": finish(Outcome.CANCELED),
    "getsms": getsms,
    "inbound": inbound,
    "inbound on a new line": inbound_on_a_new_line({"id": "1"}),
    "inbound on a new line, without an id": inbound_on_a_new_line({}),
    "inbound in parts": inbound_in_parts,
    "inbound to a number that is tried out": inbound_to_a_number_that_is_tried_out,
    "report on lines": report_on_lines,
    "lines go offline": lines_that_go_offline,
    "lines come back": lines_that_come_back,
    "SMS on a line that is offline": sms_on_a_line_that_is_offline,
    "silence": devices_that_fall_silent,
    "POST online": putting_a_number_online,
    "sweep": sweep,
    "projection": projection,
    "hourly_counts": hourly_counts,
    "POST numbers": import_of_numbers,
    "PATCH partner": change_of_a_partner,
    "PUT names": names_of_a_partner,
    "DELETE partner": revocation,
    "POST rotate-key, encrypted": rotation_of_a_key,
    "inbound, encrypted": inbound,
    "POST lift-marks": lifting_of_marks,
    "POST lift-marks of a partner": lifting_of_a_partners_marks,
    "import in parts": import_in_parts,
    "recount": recount,
    "POST partners": issue_of_a_key,
    "POST rotate-key": rotation_of_a_key,
    "POST signing-secret": signing,
    "POST pause": pause,
    "PUT services": service,
    "PATCH numbers": withdrawal,
    "POST sources secret": secret_of_a_source,
    "PUT lines": lines_of_a_source,
    "PATCH sources": change_of_a_source,
    "POST sources": entry_of_a_source_with_lines,
    "DELETE sources": removal_of_a_source,
    "POST test": trying_out_of_a_number,
    "POST replay": replay,
    "POST push": push_again,
    "POST end": end_of_an_overdue_activation,
}
# Of a transaction each condition may be the one that does not hold.
MOST_ACTIONS = 4
FAULTS = [(fault, 0) for fault in Fault] + [(Fault.REFUSED, place) for place in range(1, MOST_ACTIONS)]


@pytest.mark.parametrize(("fault", "refused"), FAULTS)
@pytest.mark.parametrize("name", SCENES)
def test_a_call_that_fails_once_leaves_nothing_half_done_lost_or_done_twice(
    moto: Any, secrets_key: str, name: str, fault: Fault, refused: int
) -> None:
    number, calls = 0, 1
    while number < calls:
        shop = _shop(moto, secrets_key, name)
        scene = SCENES[name](shop)
        failing = Nth(number, fault, of_transactions=refused > 0)
        clear = CLEAR | (scene.refused if fault is Fault.REFUSED else OURS.get(fault, set()))
        _ask(scene, Shop(failing_cloud(shop.cloud, failing, refused=refused)), clear)
        calls = failing.made
        # Whoever is refused asks again: a partner, a gateway, the stream, the next minute.
        _ask(scene, shop, CLEAR | scene.again)
        scene.check()
        number += 1
    assert calls > 0 or refused


@pytest.mark.parametrize("name", SCENES)
def test_a_function_that_ends_before_any_of_its_calls_leaves_nothing_half_done_lost_or_done_twice(
    moto: Any, secrets_key: str, name: str
) -> None:
    number, broke_off = 0, True
    while broke_off:
        shop = _shop(moto, secrets_key, name)
        scene = SCENES[name](shop)
        failing = Nth(number, Fault.UNHEARD, and_later=True)
        _ask(scene, Shop(failing_cloud(shop.cloud, failing)), CLEAR | OURS[Fault.UNHEARD])
        broke_off = failing.made > number
        _ask(scene, shop, CLEAR | scene.again)
        scene.check()
        number += 1
    assert number > 1


def _shop(moto: Any, secrets_key: str, name: str) -> Shop:
    encrypted = {"KEY_ENCRYPTION": "on", "SECRETS_KEY": secrets_key} if name.endswith("encrypted") else {}
    shop = Shop(moto.cloud(**encrypted))
    shop.sell("tg")
    return shop


def _ask(scene: Scene, shop: Shop, clear: set[int]) -> None:
    try:
        reply = scene.ask(shop)
    except GlobalConnectError:
        # What nobody waits for is started again.
        return
    if reply is not None and reply.status not in DONE:
        assert reply.status in clear
        assert reply.refusal[1]


def _same(found: object, expected: object) -> None:
    assert found == expected


def _lines(source_id: str) -> str:
    return f"/admin/sources/{source_id}/lines"


def _delivered(shop: Shop, source_id: str, sms: object) -> Reply:
    """Deliver an SMS; if that is done again, it is a second later."""
    reply = shop.deliver(source_id, sms)
    shop.cloud.clock.advance(seconds=1)
    return reply


def _everywhere(shop: Shop, sold: tuple[Partner, int]) -> list[tuple[str, str]]:
    """Return all SMS that there are, each with where it is."""
    found = [("sold", one["text"]) for one in shop.messages(*sold).body.get("messages", [])]
    desk = Desk(shop.cloud)
    for place in ("waiting", "unclaimed", "tests"):
        found += [(place, one["text"]) for one in desk.get(f"/admin/{place}").body["messages"]]
    return found
