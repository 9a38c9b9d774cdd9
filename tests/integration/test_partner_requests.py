"""What the partner API makes of a request before its action: contract 1 and its order of checks."""

import base64
import gzip
import io
import json
from dataclasses import replace
from typing import Any

import pytest

import partner_api.app
from globalconnect.domain.activation import Outcome
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.runtime.http import LARGEST_BODY, endpoint
from simulation.shop import COUNTRY, OPERATOR, Shop, present

PHONE = "447472190082"
INVALID_KEY = {"status": "ERROR", "message": "Invalid key"}
GET_NUMBER = {"action": "GET_NUMBER", "country": COUNTRY, "operator": OPERATOR, "service": "tg"}


@pytest.fixture(autouse=True)
def _one_number(shop: Shop) -> None:
    shop.stock(PHONE)


def _nothing_changed(shop: Shop) -> bool:
    number = shop.numbers.get(PHONE)
    return number is not None and number.version == 0


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "{",
        "null",
        "17",
        '"text"',
        "[]",
        "[{}]",
        "{'key':1}",
        '{"sum": NaN}',
        '{"sum": Infinity}',
        "[" * 200_000,
        '{"a":' * 50_000,
    ],
    ids=[
        "empty", "cut", "null", "number", "text", "list", "list of objects", "single quotes", "NaN", "Infinity",
        "deep list", "deep object",
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_400(shop: Shop, raw: str) -> None:
    reply = shop.post(None, raw=raw)
    assert reply.status == 400
    assert reply.body["status"] == "ERROR"
    assert reply.body["message"].startswith("body: ")


def test_a_body_of_a_megabyte_is_400_and_changes_nothing(shop: Shop) -> None:
    reply = shop.call(shop.partner(), **GET_NUMBER, padding="x" * 1_000_000)
    assert reply.status == 400
    assert reply.body["message"].startswith("body: ")
    assert _nothing_changed(shop)


@pytest.mark.parametrize(
    "key", [None, "", 17, True, [], {}, "nonsense", "gc_", "gc_x_y", "gc_a_b_c", "ключ", "x" * 10_000, "gc_\ud800_a"]
)
@pytest.mark.parametrize("action", ["GET_SERVICES", "NONSENSE", None])
def test_a_missing_or_unknown_key_is_401_whatever_else_is_wrong(shop: Shop, key: object, action: object) -> None:
    reply = shop.post({"key": key, "action": action, "status": "rubbish"})
    assert (reply.status, reply.body) == (401, INVALID_KEY)


def test_a_key_with_a_wrong_secret_is_401(shop: Shop) -> None:
    key = shop.partner().key
    for wrong in (key[:-1], f"{key}x", key.upper(), f" {key}"):
        assert shop.post({"key": wrong, "action": "GET_SERVICES"}).body == INVALID_KEY


def test_a_revoked_key_stops_working(shop: Shop) -> None:
    partner = shop.partner()
    shop.partners.revoke(partner.partner_id, shop.cloud.clock())
    assert shop.call(partner, "GET_SERVICES").body == INVALID_KEY


def test_a_rotated_key_stops_working_and_the_new_one_works(shop: Shop) -> None:
    partner = shop.partner()
    rotated = shop.partners.rotate_key(partner.partner_id, f"gc_{partner.partner_id}_new")
    assert shop.call(partner, "GET_SERVICES").body == INVALID_KEY
    assert shop.call(rotated, "GET_SERVICES").status == 200


def test_a_key_from_before_digests_works_until_it_is_rotated_or_revoked(shop: Shop) -> None:
    partner, other = shop.partner(), shop.partner()
    for each in (partner, other):
        shop.forget_digest(each)
        assert shop.call(each, "GET_SERVICES").status == 200
        assert shop.post({"key": f"{each.key}x", "action": "GET_SERVICES"}).body == INVALID_KEY
    rotated = shop.partners.rotate_key(partner.partner_id, f"gc_{partner.partner_id}_new")
    shop.partners.revoke(other.partner_id, shop.cloud.clock())
    assert shop.call(rotated, "GET_SERVICES").status == 200
    assert [shop.call(each, "GET_SERVICES").body for each in (partner, other)] == [INVALID_KEY] * 2


def test_the_readable_key_is_not_read_to_check_a_key(shop: Shop) -> None:
    partner = shop.partner()
    read: list[str] = []

    def note(parsed: dict[str, Any], **_: object) -> None:
        read.extend(parsed["Item"])

    shop.cloud.client.meta.events.register("after-call.dynamodb.GetItem", note)
    try:
        shop.call(partner, "GET_SERVICES")
        shop.messages(partner, 1)
    finally:
        shop.cloud.client.meta.events.unregister("after-call.dynamodb.GetItem", note)
    assert read.count("key_sha256") == 2
    assert not {"key", "signing_secrets", "push_url"} & set(read)


def test_a_revoked_key_that_is_remembered_works_for_the_cache_time_at_most(shop: Shop) -> None:
    remembering = Shop(shop.cloud, {"CACHE_SECONDS": "60"})
    partner = remembering.partner()
    assert remembering.call(partner, "GET_SERVICES").status == 200
    shop.partners.revoke(partner.partner_id, shop.cloud.clock())
    shop.cloud.clock.advance(seconds=60)
    assert remembering.call(partner, "GET_SERVICES").body == INVALID_KEY


def test_a_new_key_works_at_once_where_the_old_one_is_remembered(shop: Shop) -> None:
    remembering = Shop(shop.cloud, {"CACHE_SECONDS": "60"})
    partner = remembering.partner()
    remembering.call(partner, "GET_SERVICES")
    rotated = shop.partners.rotate_key(partner.partner_id, f"gc_{partner.partner_id}_new")
    assert remembering.call(rotated, "GET_SERVICES").status == 200


@pytest.mark.parametrize("action", [None, "", "get_number", "GET_NUMBERS", 17, ["GET_NUMBER"], {"a": 1}])
def test_an_unknown_action_is_400_and_named(shop: Shop, action: object) -> None:
    reply = shop.post({"key": shop.partner().key, "action": action})
    assert reply.status == 400
    assert reply.body["message"].startswith("action: ")


@pytest.mark.parametrize("name", ["country", "operator", "service"])
@pytest.mark.parametrize("value", [None, "", 17, True, ["tg"], {"a": 1}, "x" * 201])
def test_a_missing_or_wrong_field_of_get_number_is_400_and_named(shop: Shop, name: str, value: object) -> None:
    reply = shop.call(shop.partner(services=["other"]), **{**GET_NUMBER, name: value})  # type: ignore[arg-type]
    assert reply.status == 400
    assert reply.body["message"].startswith(f"{name}: ")
    assert _nothing_changed(shop)


@pytest.mark.parametrize(
    "value",
    [
        447,
        True,
        {"a": 1},
        ["+"],
        [True],
        [1.5],
        ["44a"],
        [[]],
        [-1],
        ["4 4"],
        ["+ 4"],
        ["++4"],
        "44a",
        "447,4 4",
        "4.5",
        ["4.5"],
        [4.475e2, 4.4755e2],
        [10**15],
        "1" * 16,
        ["447,x"],
        ["1e-1"],
    ],
)
def test_a_wrong_exception_phone_set_is_400_and_named(shop: Shop, value: object) -> None:
    reply = shop.buy(shop.partner(), exceptionPhoneSet=value)
    assert reply.status == 400
    assert reply.body["message"].startswith("exceptionPhoneSet: ")
    assert _nothing_changed(shop)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        0,
        -1,
        1.5,
        0.0,
        1e300,
        1e-300,
        True,
        2**53,
        2**64,
        "0",
        "-1",
        "1.5",
        "1e16",
        "9007199254740991.5",
        "abc",
        "٣",
        str(2**64),
        [1],
        {"a": 1},
    ],
)
def test_an_activation_id_that_can_be_none_is_400_and_named(shop: Shop, value: object) -> None:
    reply = shop.finish(shop.partner(), value, 3)
    assert reply.status == 400
    assert reply.body["message"].startswith("activationId: ")


@pytest.mark.parametrize("value", [None, "", 0, 2, 6, -1, 3.5, "3.5", True, "x", [3], {"a": 3}, 2**64, 10**4_000])
def test_an_unknown_outcome_is_400_named_and_changes_nothing(shop: Shop, value: object) -> None:
    partner, activation_id = shop.sold()
    reply = shop.finish(partner, activation_id, value)
    assert reply.status == 400
    assert reply.body["message"].startswith("status: ")
    activation = present(shop.activations.get(activation_id))
    assert activation.outcome is None


@pytest.mark.parametrize("spelled", ["{0}", "{0}.0", "{0}.000", "{0}e0", "{0}00E-2", '"{0}"', '"{0}.0"', '"00{0}"'])
@pytest.mark.parametrize("status", ["3", "3.0", "3e0", "0.3E+1", '"3"', '"3.0"'])
def test_a_whole_number_is_one_however_json_spells_it(shop: Shop, spelled: str, status: str) -> None:
    partner, activation_id = shop.sold()
    raw = f'"key": "{partner.key}", "action": "FINISH_ACTIVATION"'
    raw = f'{{{raw}, "activationId": {spelled.format(activation_id)}, "status": {status}}}'
    assert shop.post(None, raw=raw).body == {"status": "SUCCESS"}
    activation = present(shop.activations.get(activation_id))
    assert activation.outcome is Outcome.SUCCESS


@pytest.mark.parametrize("field", ["sum", "currency", "unknown"])
@pytest.mark.parametrize("length", [64, 65, 5_000, 100_000])
def test_a_number_that_only_fills_a_hint_is_no_reason_to_refuse_however_long(
    shop: Shop, field: str, length: int
) -> None:
    request = json.dumps({"key": shop.partner().key, **GET_NUMBER})
    reply = shop.post(None, raw=f'{request[:-1]}, "{field}": {"9" * length}}}')
    assert reply.body["status"] == "SUCCESS"
    activation = present(shop.activations.get(reply.body["activationId"]))
    kept = {"sum": activation.total, "currency": activation.currency}
    assert kept == {"sum": None, "currency": None} | ({field: "9" * 64} if field != "unknown" else {})


def test_fields_are_checked_before_the_service_is_found_not_allowed(shop: Shop) -> None:
    partner = shop.partner(services=["go"])
    assert shop.buy(partner, country="").status == 400
    assert shop.buy(partner).status == 403


def test_unknown_fields_are_ignored(shop: Shop) -> None:
    assert shop.buy(shop.partner(), anything={"a": [1]}).body["status"] == "SUCCESS"


def test_a_query_field_given_twice_is_400_and_named(shop: Shop) -> None:
    fields = [("key", shop.partner().key), *((name, value) for name, value in GET_NUMBER.items())]
    reply = shop.get(*fields, ("country", COUNTRY))
    assert reply.status == 400
    assert reply.body["message"].startswith("country: ")
    assert _nothing_changed(shop)


def test_a_key_given_twice_is_401(shop: Shop) -> None:
    key = ("key", shop.partner().key)
    assert shop.get(key, key, ("action", "GET_SERVICES")).body == INVALID_KEY


def test_an_error_never_repeats_what_was_sent(shop: Shop) -> None:
    partner = shop.partner()
    for body in (shop.buy(partner, country={"a": "marker"}).body, shop.post(None, raw='{"key": "marker').body):
        assert "marker" not in json.dumps(body)


# ------------------------------------------------------------------ bodies and answers


def _ask(shop: Shop, body: bytes, headers: dict[str, str] | None = None) -> dict[str, Any]:
    event = {
        "httpMethod": "POST",
        "headers": headers or {},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
    return endpoint(lambda asked: partner_api.app.answer(asked, shop.partner_parts))(event, None)


def test_a_byte_order_mark_before_the_json_is_ignored(shop: Shop) -> None:
    request = json.dumps({"key": shop.partner().key, "action": "GET_SERVICES"})
    assert _ask(shop, request.encode("utf-8-sig"))["statusCode"] == 200


def test_a_gzip_body_works_by_its_first_bytes(shop: Shop) -> None:
    request = json.dumps({"key": shop.partner().key, "action": "GET_SERVICES"}).encode()
    assert _ask(shop, gzip.compress(request))["statusCode"] == 200


_PACKED = gzip.compress(b"{}" * 10_000)
_EMPTY_MEMBER = gzip.compress(b"")


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b"x" * 100_000_000),
        _PACKED[:-20],
        _PACKED[:-1],
        _PACKED + b"{}",
        _PACKED + b"\0\0x",
        _PACKED + _PACKED[:-4],
        _PACKED[:-8] + bytes(8),
        _EMPTY_MEMBER * (300 * 1024 // len(_EMPTY_MEMBER)),
        b"\x1f\x8bnonsense",
        b"\x1f\x8b",
    ],
    ids=[
        "bomb", "cut", "cut by a byte", "more after it", "more after zeros", "second member cut", "wrong checksum",
        "empty members without end", "rubbish", "two bytes",
    ],
)  # fmt: skip
def test_a_gzip_body_that_is_not_whole_or_too_long_is_400(shop: Shop, body: bytes) -> None:
    answer = _ask(shop, body)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["message"].startswith("body: ")


def test_a_gzip_body_may_have_further_members_and_zeros_after_its_end(shop: Shop) -> None:
    request = json.dumps({"key": shop.partner().key, "action": "GET_SERVICES"}).encode()
    body = gzip.compress(request[:10]) + gzip.compress(request[10:])
    assert _ask(shop, body)["statusCode"] == 200
    assert _ask(shop, body + bytes(512))["statusCode"] == 200


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_may_have_256_kib_and_not_a_byte_more(shop: Shop, packed: bool) -> None:
    request = json.dumps({"key": shop.partner().key, "action": "GET_SERVICES"}).encode()
    for length, status in ((LARGEST_BODY, 200), (LARGEST_BODY + 1, 400)):
        body = request + b" " * (length - len(request))
        assert _ask(shop, gzip.compress(body) if packed else body)["statusCode"] == status


def _long_answer(shop: Shop, headers: dict[str, str]) -> dict[str, Any]:
    shop.sell(*(f"service{n}" for n in range(100)))
    shop.project()
    request = json.dumps({"key": shop.partner().key, "action": "GET_SERVICES"}).encode()
    return _ask(shop, request, headers)


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br", "br;q=1.0, GZIP;q=0.8", "*"])
def test_a_long_answer_is_gzipped_when_asked_for(shop: Shop, accepted: str) -> None:
    answer = _long_answer(shop, {"Accept": "*/*", "Accept-Encoding": accepted})
    assert answer["headers"]["Content-Encoding"] == "gzip"
    assert answer["headers"]["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(gzip.decompress(base64.b64decode(answer["body"])))["status"] == "SUCCESS"


@pytest.mark.parametrize("accepted", [None, "", "identity", "deflate", "gzip;q=0"])
def test_an_answer_is_plain_when_gzip_was_not_asked_for(shop: Shop, accepted: str | None) -> None:
    headers = {"Accept": "*/*"} | ({} if accepted is None else {"Accept-Encoding": accepted})
    assert json.loads(_long_answer(shop, headers)["body"])["status"] == "SUCCESS"


def test_a_short_answer_is_not_gzipped(shop: Shop) -> None:
    answer = _ask(shop, b"{}", {"Accept": "*/*", "Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer["headers"]


def test_an_unexpected_failure_is_our_json_and_logs_no_secret(shop: Shop, logged: io.StringIO) -> None:
    key = shop.partner().key

    def fail(_: object) -> Any:
        raise RuntimeError(f"something quoted {key}")

    answer = endpoint(fail)({}, None)
    assert answer["statusCode"] == 500
    assert answer["headers"]["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(answer["body"])["status"] == "ERROR"
    assert "RuntimeError" in logged.getvalue()
    assert key not in logged.getvalue()


def test_answers_and_errors_are_written_in_the_dialect_of_the_partner(shop: Shop) -> None:
    dialects = {"default": Dialect(number=int, error_fields=("error",))}
    shop.partner_parts = replace(shop.partner_parts, dialects=dialects)
    shop.getsms_parts = replace(shop.getsms_parts, dialects=dialects)
    partner = shop.partner()
    issued = shop.buy(partner)
    assert issued.body["number"] == int(PHONE)
    for refused in (shop.finish(partner, 1, 3), shop.messages(partner, 1)):
        assert refused.status == 404
        assert refused.body.keys() == {"status", "error"}
    # Whose key is not known has no dialect yet.
    assert shop.post({"key": "x", "action": "GET_SERVICES"}).body == INVALID_KEY
