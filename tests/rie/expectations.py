"""What each sample event must bring about, by the event's name: the function's answer and its effect."""

import base64
import gzip
import json
import time
from collections.abc import Callable
from typing import Any

from globalconnect.domain.activation import Outcome
from globalconnect.domain.sms import PushState
from globalconnect.runtime.http import CONTENT_TYPE
from hourly_counts.measure import COUNTED_AGAIN
from tests.rie import samples
from tests.rie.world import SampleWorld, texts

type Expectation = Callable[[Any, SampleWorld], None]

EXPECTATIONS: dict[str, Expectation] = {}

FREE, BLOCKED_FOR_GOOGLE, OF_SMS, FINISHED, RUN_OUT = (
    f"4477009000{number}" for number in ("01", "02", "10", "14", "15")
)
ACTIVATIONS = 1_000_000_000_000
MESSAGES = 2_000_000_000_000
POOL = "Sample Mobile"
HOUR = 3_600_000


def expects(name: str) -> Callable[[Expectation], Expectation]:
    def enter(expectation: Expectation) -> Expectation:
        assert name not in EXPECTATIONS, f"{name} has two expectations"
        EXPECTATIONS[name] = expectation
        return expectation

    return enter


def said(answer: Any, status: int) -> Any:
    """Return the JSON in an answer to API Gateway; fails when it is not one that API Gateway takes."""
    assert answer["statusCode"] == status, answer
    assert answer["headers"]["Content-Type"] == CONTENT_TYPE
    assert not answer.get("isBase64Encoded")
    return json.loads(answer["body"])


def refused(answer: Any, status: int) -> str:
    """Return the message of a refusal; fails when it is not one in the contract's form."""
    body = said(answer, status)
    assert body.keys() == {"status", "message"}
    assert body["status"] == "ERROR"
    return str(body["message"])


# ---------------------------------------------------------------- partner_api


@expects("partner_api/get-services-post.json")
@expects("partner_api/get-services-get.json")
def what_is_for_sale_is_listed(answer: Any, world: SampleWorld) -> None:
    """The service that is switched off is left out; numbers blocked for a service are not counted for it."""
    assert said(answer, 200) == {
        "status": "SUCCESS",
        "countryList": [{"country": "england", "operatorMap": {POOL: {"go": 1, "tg": 2}}}],
    }


@expects("partner_api/get-number-post.json")
@expects("partner_api/get-number-gzip.json")
def the_longest_rested_number_is_issued(answer: Any, world: SampleWorld) -> None:
    _issued(answer, world, FREE)


@expects("partner_api/get-number-get.json")
def a_number_without_the_unwanted_prefixes_is_issued(answer: Any, world: SampleWorld) -> None:
    """`any` is any operator of the country; `exceptionPhoneSet` is given twice, once with a comma."""
    _issued(answer, world, BLOCKED_FOR_GOOGLE)
    assert world.number(FREE).activation_id is None


def _issued(answer: Any, world: SampleWorld, phone: str) -> None:
    body = said(answer, 200)
    activation_id = body.pop("activationId")
    assert body == {"number": phone, "status": "SUCCESS", "call": 0, "voice": 0}
    assert 0 < activation_id < 10**14
    number, sale = world.number(phone), world.sale(activation_id)
    assert (number.activation_id, number.partner_id) == (activation_id, "samplehub")
    assert number.available_from == sale.activation.expires_at == sale.activation.started_at + HOUR
    assert abs(time.time() * 1_000 - sale.activation.started_at) < HOUR


@expects("partner_api/get-number-none-left.json")
def an_unknown_country_has_no_numbers(answer: Any, world: SampleWorld) -> None:
    assert said(answer, 200) == {"status": "NO_NUMBERS"}
    assert world.number(FREE).activation_id is None


@expects("partner_api/finish-activation.json")
def a_success_uses_the_number_up_for_its_service_only(answer: Any, world: SampleWorld) -> None:
    assert said(answer, 200) == {"status": "SUCCESS"}
    assert world.sale(ACTIVATIONS + 14).activation.outcome is Outcome.SUCCESS
    number = world.number(FINISHED)
    assert number.activation_id is None
    assert number.blocked == {"tg"}


@expects("partner_api/unknown-activation.json")
def an_unknown_activation_is_not_found(answer: Any, world: SampleWorld) -> None:
    assert refused(answer, 404)


@expects("partner_api/unknown-key.json")
def an_unknown_key_is_refused_in_the_contracts_words(answer: Any, world: SampleWorld) -> None:
    assert refused(answer, 401) == "Invalid key"


@expects("partner_api/bad-json.json")
def broken_json_is_refused_without_quoting_it(answer: Any, world: SampleWorld) -> None:
    assert world.partner_key() not in refused(answer, 400)


# ---------------------------------------------------------------- getsms


@expects("getsms/messages.json")
def messages_are_shown(answer: Any, world: SampleWorld) -> None:
    assert said(answer, 200) == {
        "status": "SUCCESS",
        "messages": [
            {
                "smsId": str(MESSAGES + 11),
                "phone": "447700900011",
                "phoneFrom": "Telegram",
                "text": "Sample code: 00011",
                "receivedAt": "2026-01-01T00:05:00+00:00",
            }
        ],
    }


@expects("getsms/wait-code.json")
def without_a_message_the_partner_waits(answer: Any, world: SampleWorld) -> None:
    assert said(answer, 200) == {"status": "WAIT_CODE"}


@expects("getsms/expired.json")
def without_a_message_an_expired_activation_says_so(answer: Any, world: SampleWorld) -> None:
    assert said(answer, 200) == {"status": "EXPIRED"}


# ---------------------------------------------------------------- inbound_sms


@expects("inbound_sms/one-sms.json")
def a_signed_sms_goes_to_the_activation_that_holds_its_number(answer: Any, world: SampleWorld) -> None:
    assert said(answer, 200)["status"] == "SUCCESS"
    [sms] = world.sale(ACTIVATIONS + 10).sms
    assert (sms.phone, sms.phone_from, sms.text) == (OF_SMS, "Telegram", "Sample code: 12345")
    assert sms.push_state is PushState.PENDING
    noted = [item["inbox_id"] for item in world.all_of("INBOX_TABLE")]
    # Its words are noted as well.
    assert min(noted) == str(sms.sms_id)


@expects("inbound_sms/several-sms.json")
def each_sms_of_a_list_goes_its_own_way(answer: Any, world: SampleWorld) -> None:
    """The second one's number is held by nobody: it is kept for staff and shown to no partner."""
    assert said(answer, 200)["status"] == "SUCCESS"
    assert [sms.text for sms in world.sale(ACTIVATIONS + 10).sms] == ["Sample code: 11111"]
    assert {item.get("kind"): item.get("text") for item in world.all_of("INBOX_TABLE")} == {
        None: None,
        "unclaimed": "Sample code: 22222",
    }


@expects("inbound_sms/wrong-signature.json")
def a_wrong_signature_stores_nothing(answer: Any, world: SampleWorld) -> None:
    assert refused(answer, 401)
    assert world.all_of("INBOX_TABLE") == []
    assert world.sale(ACTIVATIONS + 10).sms == ()


@expects("inbound_sms/unreadable.json")
def what_cannot_be_read_is_kept_for_operators(answer: Any, world: SampleWorld) -> None:
    assert refused(answer, 400).startswith("text")
    [kept] = world.all_of("INBOX_TABLE")
    assert (kept["kind"], kept["source_id"]) == ("unreadable", "samplesource")
    assert json.loads(kept["payload"])["phone"] == OF_SMS


# ---------------------------------------------------------------- pushes


@expects("push_sms/new-sms.json")
def new_sms_are_pushed(answer: Any, world: SampleWorld) -> None:
    assert answer == {"batchItemFailures": []}
    pushes = world.pushed()
    assert texts(pushes) == ["Sample code: 00012", "Sample code: 00016"]
    [push] = [push for push in pushes if push.body["text"] == "Sample code: 00012"]
    assert push.method == "POST"
    assert push.headers["Content-Type"] == "application/json; charset=utf-8"
    assert push.headers["User-Agent"].startswith("GlobalConnect/")
    assert push.body == {
        "key": world.partner_key(),
        "action": "PUSH_SMS",
        "smsId": str(MESSAGES + 12),
        "phone": "447700900012",
        "phoneFrom": "Telegram",
        "text": "Sample code: 00012",
        "call": 0,
        "voice": 0,
    }
    for number in (12, 16):
        [sms] = world.sale(ACTIVATIONS + number).sms
        assert (sms.push_state, sms.attempts) == (PushState.DELIVERED, 1)


@expects("push_retry/due.json")
def a_due_push_is_made_and_an_unreadable_message_left_in_the_queue(answer: Any, world: SampleWorld) -> None:
    [failure] = answer["batchItemFailures"]
    assert failure == {"itemIdentifier": _message_ids("push_retry/due.json")[1]}
    assert texts(world.pushed()) == ["Sample code: 00013"]
    [sms] = world.sale(ACTIVATIONS + 13).sms
    assert (sms.push_state, sms.attempts) == (PushState.DELIVERED, 2)
    attempts = world.attempts(ACTIVATIONS + 13)[sms.sms_id]
    assert [(attempt.number, attempt.http_status) for attempt in attempts] == [(1, 500), (2, 200)]


def _message_ids(name: str) -> list[str]:
    return [record["messageId"] for record in samples.read(name)["Records"]]


# ---------------------------------------------------------------- streams and schedule


@expects("projection/numbers-changed.json")
def changed_numbers_are_counted(answer: Any, world: SampleWorld) -> None:
    """One number was issued and one is new: one more in all, as many free as before."""
    assert answer is None
    [pool] = world.all_of("AVAILABILITY_TABLE")
    assert (pool["country"], pool["operator"]) == ("england", POOL)
    assert (pool["total"], pool["free"], pool["blocked_free"]) == (10, 2, "go=1")
    counted = {item["phone"]: (item["version"], item["free"]) for item in world.all_of("COUNTED_TABLE")}
    assert (counted[FREE], counted["447700900003"]) == ((2, False), (0, True))
    [holder] = world.all_of("HOLDERS_TABLE")
    assert (holder["partner_id"], holder["held"]) == ("samplehub", 8)


@expects("recount/every-night.json")
def counts_that_are_right_are_left_as_they_are(answer: Any, world: SampleWorld) -> None:
    assert answer is None
    [pool] = world.all_of("AVAILABILITY_TABLE")
    assert (pool["total"], pool["free"], pool["blocked_free"]) == (9, 2, "go=1")
    [holder] = world.all_of("HOLDERS_TABLE")
    assert (holder["held"], "recount" in pool, "recount" in holder) == (7, False, False)


@expects("hourly_counts/every-minute.json")
def hours_and_stock_are_measured(answer: Any, world: SampleWorld) -> None:
    """What the sample data hold began long ago: the last hours are empty."""
    assert answer is None
    kept = world.all_of("STATISTICS_TABLE")
    assert sum(item["kind"] == "hour" for item in kept) == COUNTED_AGAIN
    assert all(item["live"] == 0 and item["times"] == "" for item in kept if item["kind"] == "hour")
    assert [(item["numbers"], item["free"]) for item in kept if item["kind"] == "stock"] == [(9, 2)]


@expects("sweep/every-minute.json")
def a_lease_that_ran_out_is_let_go_and_lost_pushes_are_queued(answer: Any, world: SampleWorld) -> None:
    assert answer is None
    assert world.number(RUN_OUT).activation_id is None
    assert world.number(OF_SMS).activation_id == ACTIVATIONS + 10
    assert {message["smsId"] - MESSAGES for message in world.queued()} == {12, 13, 16}
    [note] = world.all_of("STATISTICS_TABLE")
    assert (note["kind"], note["waiting"], note["partners"].keys()) == ("pending", 3, {"samplehub"})


# ---------------------------------------------------------------- console


@expects("console/page.json")
def the_page_of_the_console_is_served_with_its_policy(answer: Any, world: SampleWorld) -> None:
    assert answer["statusCode"] == 200, f"{answer}: make console"
    assert answer["headers"]["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer["headers"]["Content-Security-Policy"]
    domain = samples.read("console/page.json")["requestContext"]["domainName"]
    assert f'<base href="https://{domain}/live/console/">' in answer["body"]


@expects("console/file.json")
def a_file_of_the_console_is_served_packed(answer: Any, world: SampleWorld) -> None:
    assert answer["statusCode"] == 200, f"{answer}: make console"
    assert answer["headers"]["Content-Encoding"] == "gzip"
    assert b"preact" in gzip.decompress(base64.b64decode(answer["body"]))


@expects("console/unknown-file.json")
def no_path_leads_out_of_what_was_built(answer: Any, world: SampleWorld) -> None:
    assert refused(answer, 404) == "file not found"


# ---------------------------------------------------------------- admin_api


@expects("admin_api/list-partners.json")
def partners_are_listed_without_their_keys(answer: Any, world: SampleWorld) -> None:
    [partner] = said(answer, 200)["partners"]
    assert (partner["partnerId"], partner["name"], partner["revoked"]) == ("samplehub", "Sample Hub", False)
    assert world.partner_key() not in answer["body"]


@expects("admin_api/issue-key.json")
def a_new_partner_gets_a_key(answer: Any, world: SampleWorld) -> None:
    body = said(answer, 201)
    assert (body["name"], body["services"]) == ("Another Sample Hub", ["tg"])
    stored = {partner["partner_id"]: partner["key"] for partner in world.all_of("PARTNERS_TABLE")}
    assert stored[body["partnerId"]] == body["key"]


@expects("admin_api/import-numbers-csv.json")
def a_csv_is_imported_row_by_row(answer: Any, world: SampleWorld) -> None:
    body = said(answer, 200)
    assert (body["imported"], body["updated"], [row["row"] for row in body["rejected"]]) == (1, 1, [3])
    assert world.number("447700900050").operator == POOL


@expects("admin_api/read-activation.json")
def an_activation_is_shown_with_its_messages_and_attempts(answer: Any, world: SampleWorld) -> None:
    body = said(answer, 200)
    assert (body["activationId"], body["state"]) == (ACTIVATIONS + 11, "live")
    [message] = body["messages"]
    assert (message["pushState"], [attempt["httpStatus"] for attempt in message["attemptLog"]]) == ("delivered", [200])


@expects("admin_api/create-source.json")
def a_new_source_gets_a_url_and_a_secret(answer: Any, world: SampleWorld) -> None:
    body = said(answer, 201)
    context = samples.read("admin_api/create-source.json")["requestContext"]
    assert body["url"] == f"https://{context['domainName']}/live/inbound/{body['sourceId']}"
    secrets = {source["source_id"]: source["secret"] for source in world.all_of("SOURCES_TABLE")}
    assert secrets[body["sourceId"]] == body["secret"]
