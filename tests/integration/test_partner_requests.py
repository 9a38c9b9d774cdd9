"""What the partner API makes of a request before its action: contract 1 and its order of checks."""

import base64
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import partner_api.app
from globalconnect.domain.activation import Outcome
from globalconnect.domain.ids import ActivationId
from globalconnect.domain.partner import in_clear
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.runtime.http import LARGEST_BODY, endpoint
from simulation.calls import heard
from simulation.shop import COUNTRY, OPERATOR, Shop, present

PHONE = "447472190082"
INVALID_KEY = {"status": "ERROR", "message": "Invalid key"}
GET_NUMBER = {"action": "GET_NUMBER", "country": COUNTRY, "operator": OPERATOR, "service": "tg"}


@pytest.fixture(autouse=True)
def _one_number(shop: Shop) -> None:
    shop.stock(PHONE)


def _nothing_changed(shop: Shop) -> bool:
    return present(shop.numbers.get(PHONE)).version == 0


@pytest.mark.parametrize(
    "key", [None, "", 17, True, [], {}, "nonsense", "gc_", "gc_x_y", "gc_a_b_c", "ключ", "x" * 10_000, "gc_\ud800_a"]
)
@pytest.mark.parametrize("action", ["GET_SERVICES", "NONSENSE", None])
def test_a_missing_or_unknown_key_is_401_whatever_else_is_wrong(shop: Shop, key: object, action: object) -> None:
    reply = shop.post({"key": key, "action": action, "status": "rubbish"})
    assert (reply.status, reply.body) == (401, INVALID_KEY)


def test_a_key_from_before_digests_works_until_it_is_rotated_or_revoked(shop: Shop) -> None:
    partner, other = shop.partner(), shop.partner()
    for each in (partner, other):
        shop.forget_digest(each)
        assert shop.call(each, "GET_SERVICES").status == 200
        assert shop.post({"key": f"{in_clear(each.key)}x", "action": "GET_SERVICES"}).body == INVALID_KEY
    rotated = shop.partners.rotate_key(partner.partner_id, f"gc_{partner.partner_id}_new")
    shop.partners.revoke(other.partner_id, shop.cloud.clock())
    assert shop.call(rotated, "GET_SERVICES").status == 200
    assert [shop.call(each, "GET_SERVICES").body for each in (partner, other)] == [INVALID_KEY] * 2


def test_the_readable_key_is_not_read_to_check_a_key(shop: Shop) -> None:
    partner = shop.partner()
    with heard(shop.cloud.client, "after-call.dynamodb.GetItem") as told:
        shop.call(partner, "GET_SERVICES")
        shop.messages(partner, 1)
    read = [name for call in told for name in call["parsed"]["Item"]]
    assert read.count("key_sha256") == 2
    assert not {"key", "signing_secrets", "push_url"} & set(read)


def test_where_a_key_is_remembered_a_new_one_works_at_once_and_a_revoked_one_for_the_cache_time_at_most(
    shop: Shop,
) -> None:
    remembering = Shop(shop.cloud, {"CACHE_SECONDS": "60"})
    partner = remembering.partner()
    assert remembering.call(partner, "GET_SERVICES").status == 200
    rotated = shop.partners.rotate_key(partner.partner_id, f"gc_{partner.partner_id}_new")
    assert remembering.call(rotated, "GET_SERVICES").status == 200
    shop.partners.revoke(partner.partner_id, shop.cloud.clock())
    shop.cloud.clock.advance(seconds=60)
    assert remembering.call(rotated, "GET_SERVICES").body == INVALID_KEY


_OF_NAMES = (None, "", 17, True, ["tg"], {"a": 1}, "x" * 201)
WRONG: dict[tuple[str, str], tuple[object, ...]] = {
    ("GET_NUMBER", "action"): (None, "", "get_number", "GET_NUMBERS", 17, ["GET_NUMBER"], {"a": 1}),
    ("GET_NUMBER", "country"): _OF_NAMES,
    ("GET_NUMBER", "operator"): _OF_NAMES,
    ("GET_NUMBER", "service"): _OF_NAMES,
    ("GET_NUMBER", "exceptionPhoneSet"): (
        447, True, {"a": 1}, ["+"], [True], [1.5], ["44a"], [[]], [-1], ["4 4"], ["+ 4"], ["++4"], "44a", "447,4 4", "4.5",
        ["4.5"], [4.475e2, 4.4755e2], [10**15], "1" * 16, ["447,x"], ["1e-1"],
    ),
    ("FINISH_ACTIVATION", "activationId"): (
        None, "", 0, -1, 1.5, 0.0, 1e300, 1e-300, True, 2**53, 2**64, "0", "-1", "1.5", "1e16", "9007199254740991.5", "abc",
        "\N{ARABIC-INDIC DIGIT THREE}", str(2**64), [1], {"a": 1},
    ),
    ("FINISH_ACTIVATION", "status"): (
        None, "", 0, 2, 6, -1, 3.5, "3.5", True, "x", [3], {"a": 3}, 2**64, 10**4_000,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("action", "name", "value"),
    [
        pytest.param(action, name, value, id=f"{name} {place}")
        for (action, name), values in WRONG.items()
        for place, value in enumerate(values if name == "exceptionPhoneSet" else [..., *values])
    ],
)
def test_a_missing_or_wrong_field_is_400_and_named_and_changes_nothing(
    shop: Shop, action: str, name: str, value: object
) -> None:
    right = {"key": shop.partner(services=["other"]).key, **GET_NUMBER, "activationId": 1, "status": 3}
    fields = {**right, "action": action, name: value}
    reply = shop.post({name: value for name, value in fields.items() if value is not ...})
    # Not 403, though its service is not allowed, nor 404, though it has no such activation.
    assert reply.status == 400
    assert reply.body["message"].startswith(f"{name}: ")
    assert _nothing_changed(shop)


@pytest.mark.parametrize("spelled", ["{0}", "{0}.0", "{0}.000", "{0}e0", "{0}00E-2", '"{0}"', '"{0}.0"', '"00{0}"'])
@pytest.mark.parametrize("status", ["3", "3.0", "3e0", "0.3E+1", '"3"', '"3.0"'])
def test_a_whole_number_is_one_however_json_spells_it(shop: Shop, spelled: str, status: str) -> None:
    partner, activation_id = shop.sold()
    raw = f'"key": "{in_clear(partner.key)}", "action": "FINISH_ACTIVATION"'
    raw = f'{{{raw}, "activationId": {spelled.format(activation_id)}, "status": {status}}}'
    assert shop.post(None, raw=raw).body == {"status": "SUCCESS"}
    activation = present(shop.activations.get(ActivationId(activation_id)))
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


@pytest.mark.parametrize(
    ("twice", "named", "status"), [("country", "country: ", 400), ("key", INVALID_KEY["message"], 401)]
)
def test_a_query_field_given_twice_is_400_and_named_but_for_a_key(
    shop: Shop, twice: str, named: str, status: int
) -> None:
    fields = {"key": in_clear(shop.partner().key), **GET_NUMBER}
    reply = shop.get(*fields.items(), (twice, fields[twice]))
    assert reply.status == status
    assert reply.body["message"].startswith(named)
    assert _nothing_changed(shop)


def test_an_error_never_repeats_what_was_sent(shop: Shop) -> None:
    partner = shop.partner()
    for body in (shop.buy(partner, country={"a": "marker"}).body, shop.post(None, raw='{"key": "marker').body):
        assert "marker" not in json.dumps(body)


# ------------------------------------------------------------------ bodies and answers


def _get_services(shop: Shop, services: int = 0) -> bytes:
    """Return a GET_SERVICES of a new partner, whose answer has so many services more."""
    shop.sell(*(f"service{number}" for number in range(services)))
    shop.project()
    return json.dumps({"key": shop.partner().key, "action": "GET_SERVICES"}).encode()


def _ask(shop: Shop, body: bytes, headers: dict[str, str] | None = None) -> dict[str, Any]:
    event = {
        "httpMethod": "POST",
        "headers": headers or {},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
    return endpoint(lambda asked: partner_api.app.answer(asked, shop.partner_parts))(event, None)


_PACKED = gzip.compress(b"{}" * 10_000)
_EMPTY_MEMBER = gzip.compress(b"")


@pytest.mark.parametrize(
    "body",
    [
        *(text.encode() for text in ("", "{", "null", "17", '"text"', "[]", "[{}]", "{'key':1}", '{"sum": NaN}', '{"sum": Infinity}')),
        b"[" * 200_000,
        b'{"a":' * 50_000,
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
        "empty", "cut", "null", "number", "text", "list", "list of objects", "single quotes", "NaN", "Infinity",
        "deep list", "deep object", "gzip bomb", "gzip cut", "gzip cut by a byte", "more after gzip", "more after zeros",
        "second member cut", "wrong checksum", "empty members without end", "rubbish", "two bytes",
    ],
)  # fmt: skip
def test_a_body_that_is_no_json_object_or_not_whole_in_gzip_is_400(shop: Shop, body: bytes) -> None:
    answer = _ask(shop, body)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["message"].startswith("body: ")


def _packed_in_two_members(request: bytes) -> bytes:
    return gzip.compress(request[:10]) + gzip.compress(request[10:])


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda request: b"\xef\xbb\xbf" + request, id="byte-order mark"),
        pytest.param(gzip.compress, id="gzip, known by its first bytes"),
        pytest.param(_packed_in_two_members, id="gzip in two members"),
        pytest.param(lambda request: _packed_in_two_members(request) + bytes(512), id="zeros after gzip"),
    ],
)
def test_a_body_is_read_with_a_byte_order_mark_and_in_gzip(shop: Shop, write: Callable[[bytes], bytes]) -> None:
    assert _ask(shop, write(_get_services(shop)))["statusCode"] == 200


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_body_may_have_256_kib_and_not_a_byte_more(shop: Shop, pack: Callable[[bytes], bytes]) -> None:
    request = _get_services(shop)
    for length, status in ((LARGEST_BODY, 200), (LARGEST_BODY + 1, 400)):
        assert _ask(shop, pack(request.ljust(length)))["statusCode"] == status


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br", "br;q=1.0, GZIP;q=0.8", "*"])
def test_a_long_answer_is_gzipped_when_asked_for(shop: Shop, accepted: str) -> None:
    answer = _ask(shop, _get_services(shop, 100), {"Accept": "*/*", "Accept-Encoding": accepted})
    assert answer["headers"]["Content-Encoding"] == "gzip"
    assert answer["headers"]["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(gzip.decompress(base64.b64decode(answer["body"])))["status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("services", "headers"),
    [
        (100, {"Accept": "*/*"}),
        *((100, {"Accept": "*/*", "Accept-Encoding": other}) for other in ("", "identity", "deflate", "gzip;q=0")),
        # API Gateway turns base64 into bytes by the Accept header.
        (100, {"Accept-Encoding": "gzip"}),
        (1, {"Accept": "*/*", "Accept-Encoding": "gzip"}),
    ],
)
def test_an_answer_is_plain_when_gzip_was_not_asked_for_or_it_is_short(
    shop: Shop, services: int, headers: dict[str, str]
) -> None:
    answer = _ask(shop, _get_services(shop, services), headers)
    assert "Content-Encoding" not in answer["headers"]
    assert json.loads(answer["body"])["status"] == "SUCCESS"


def test_an_unexpected_failure_is_our_json_and_logs_no_secret(logged: io.StringIO) -> None:
    def fail(_: object) -> Any:
        raise RuntimeError("something quoted gc_x_secret")

    answer = endpoint(fail)({}, None)
    assert answer["statusCode"] == 500
    assert answer["headers"]["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(answer["body"])["status"] == "ERROR"
    assert "RuntimeError" in logged.getvalue()
    assert "gc_x_secret" not in logged.getvalue()


def test_answers_and_errors_are_written_in_the_dialect_of_the_partner(shop: Shop) -> None:
    dialects = {"globalconnect": Dialect(number=int, error_fields=("error",))}
    shop.partner_parts = replace(shop.partner_parts, dialects=dialects)
    shop.getsms_parts = replace(shop.getsms_parts, dialects=dialects)
    partner = shop.partner()
    assert shop.buy(partner).body["number"] == int(PHONE)
    for refused in (shop.finish(partner, 1, 3), shop.messages(partner, 1)):
        assert (refused.status, refused.body.keys()) == (404, {"status", "error"})
    # Whose key is not known has no dialect yet.
    assert shop.post({"key": "x", "action": "GET_SERVICES"}).body == INVALID_KEY
