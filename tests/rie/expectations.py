"""What each sample event must bring about, by the event's name: the function's answer and its effect."""

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

from globalconnect.domain.activation import Outcome
from globalconnect.domain.sms import PushState
from globalconnect.runtime.http import CONTENT_TYPE
from globalconnect.store.partners import LINK
from hourly_counts.measure import COUNTED_AGAIN
from tests.rie import samples
from tests.rie.world import SampleWorld

type Expectation = Callable[[Any, SampleWorld], None]

FREE, BLOCKED_FOR_GOOGLE, OF_SMS, FINISHED, RUN_OUT = (
    f"4477009000{number}" for number in ("01", "02", "10", "14", "15")
)
ACTIVATIONS = 1_000_000_000_000
MESSAGES = 2_000_000_000_000
POOL = "Sample Mobile"

EXPECTATIONS: dict[str, Expectation] = {}


def expects(*names: str) -> Callable[[Expectation], Expectation]:
    def enter(expectation: Expectation) -> Expectation:
        EXPECTATIONS.update(dict.fromkeys(names, expectation))
        return expectation

    return enter


def said(answer: Any) -> tuple[int, Any]:
    """Return the status and the JSON in an answer to API Gateway; fails when it is not one that API Gateway takes."""
    assert answer["headers"]["Content-Type"] == CONTENT_TYPE
    if answer.get("isBase64Encoded"):
        assert answer["headers"]["Content-Encoding"] == "gzip"
        return answer["statusCode"], json.loads(gzip.decompress(base64.b64decode(answer["body"])))
    return answer["statusCode"], json.loads(answer["body"])


# ---------------------------------------------------------------- what is only answered

_FOR_SALE = [{"country": "england", "operatorMap": {POOL: {"go": 1, "tg": 2}}}]
_SMS = {
    "smsId": str(MESSAGES + 11),
    "phone": "447700900011",
    "phoneFrom": "Telegram",
    "text": "Sample code: 00011",
    "receivedAt": "2026-01-01T00:05:00+00:00",
}
ANSWERS: dict[str, tuple[int, dict[str, object]]] = {
    # The service that is switched off is left out; numbers blocked for a service are not counted for it.
    "partner_api/get-services-post.json": (200, {"status": "SUCCESS", "countryList": _FOR_SALE}),
    "partner_api/get-services-get.json": (200, {"status": "SUCCESS", "countryList": _FOR_SALE}),
    "partner_api/get-number-none-left.json": (200, {"status": "NO_NUMBERS"}),
    "partner_api/unknown-activation.json": (404, {"status": "ERROR", "message": "activationId not found"}),
    "partner_api/unknown-key.json": (401, {"status": "ERROR", "message": "Invalid key"}),
    "partner_api/bad-json.json": (400, {"status": "ERROR", "message": "body: expected valid JSON in UTF-8"}),
    "getsms/messages.json": (200, {"status": "SUCCESS", "messages": [_SMS]}),
    "getsms/wait-code.json": (200, {"status": "WAIT_CODE"}),
    "getsms/expired.json": (200, {"status": "EXPIRED"}),
    "inbound_sms/wrong-signature.json": (401, {"status": "ERROR", "message": "Invalid signature"}),
    "partner_page/explain.json": (
        200,
        {
            "status": "NO_NUMBERS",
            "reason": "unknownService",
            "message": "No service has this code. GET_SERVICES lists those that there are.",
            "suggestions": ["tg"],
        },
    ),
    "partner_page/unknown-link.json": (404, {"status": "ERROR", "message": "link not found"}),
    # No path leads out of what was built.
    "console/unknown-file.json": (404, {"status": "ERROR", "message": "file not found"}),
}


# ---------------------------------------------------------------- partners


@expects("partner_api/get-number-post.json", "partner_api/get-number-gzip.json")
def the_longest_rested_number_is_issued(answer: Any, world: SampleWorld) -> None:
    _issued(answer, world, FREE)


@expects("partner_api/get-number-get.json")
def a_number_without_the_unwanted_prefixes_is_issued(answer: Any, world: SampleWorld) -> None:
    """`any` is any operator of the country; `exceptionPhoneSet` is given twice, once with a comma."""
    _issued(answer, world, BLOCKED_FOR_GOOGLE)


def _issued(answer: Any, world: SampleWorld, phone: str) -> None:
    number = world.number(phone)
    issued = {"number": phone, "status": "SUCCESS", "activationId": number.activation_id, "call": 0, "voice": 0}
    assert said(answer) == (200, issued)
    assert number.partner_id == "samplehub"


@expects("partner_api/finish-activation.json")
def a_success_uses_the_number_up_for_its_service_only(answer: Any, world: SampleWorld) -> None:
    assert said(answer) == (200, {"status": "SUCCESS"})
    assert world.sale(ACTIVATIONS + 14).activation.outcome is Outcome.SUCCESS
    number = world.number(FINISHED)
    assert number.activation_id is None
    assert number.blocked == {"tg"}


# ---------------------------------------------------------------- partner_page


@expects("partner_page/unused-link.json")
def a_link_hands_out_the_key_and_is_gone(answer: Any, world: SampleWorld) -> None:
    shown = {"name": "Sample Hub", "key": "gc_samplehub_this-is-a-sample-and-opens-nothing", "dialect": "globalconnect"}
    status, body = said(answer)
    assert (status, body | shown, body.keys() - shown.keys()) == (200, body, {"forms", "names"})
    assert [sorted(item.keys() & LINK) for item in world.all_of("PARTNERS_TABLE")] == [["link_taken_by"]]


# ---------------------------------------------------------------- inbound_sms


@expects("inbound_sms/one-sms.json")
def a_signed_sms_goes_to_the_activation_that_holds_its_number(answer: Any, world: SampleWorld) -> None:
    assert said(answer) == (200, {"status": "SUCCESS"})
    [sms] = world.sale(ACTIVATIONS + 10).sms
    kept = (sms.phone, sms.phone_from, sms.text, sms.push_state)
    assert kept == (OF_SMS, "Telegram", "Sample code: 12345", PushState.PENDING)
    # Its words are noted as well.
    assert min(item["inbox_id"] for item in world.all_of("INBOX_TABLE")) == str(sms.sms_id)


@expects("inbound_sms/several-sms.json")
def each_sms_of_a_list_goes_its_own_way(answer: Any, world: SampleWorld) -> None:
    """The second one's number is held by nobody: it is kept for staff and shown to no partner."""
    assert said(answer) == (200, {"status": "SUCCESS"})
    assert [sms.text for sms in world.sale(ACTIVATIONS + 10).sms] == ["Sample code: 11111"]
    kept = {item.get("kind"): item.get("text") for item in world.all_of("INBOX_TABLE")}
    assert kept == {None: None, "unclaimed": "Sample code: 22222"}


@expects("inbound_sms/unreadable.json")
def what_cannot_be_read_is_kept_for_staff(answer: Any, world: SampleWorld) -> None:
    status, _ = said(answer)
    [kept] = world.all_of("INBOX_TABLE")
    assert (status, kept["kind"], kept["source_id"]) == (400, "unreadable", "samplesource")
    assert json.loads(kept["payload"])["phone"] == OF_SMS


# ---------------------------------------------------------------- pushes


@expects("push_sms/new-sms.json")
def new_sms_are_pushed(answer: Any, world: SampleWorld) -> None:
    assert answer == {"batchItemFailures": []}
    assert world.pushed() == ["Sample code: 00012", "Sample code: 00016"]
    for number in (12, 16):
        [sms] = world.sale(ACTIVATIONS + number).sms
        assert (sms.push_state, sms.attempts) == (PushState.DELIVERED, 1)


@expects("push_retry/due.json")
def a_due_push_is_made_and_an_unreadable_message_left_in_the_queue(answer: Any, world: SampleWorld) -> None:
    _, unreadable = samples.read("push_retry/due.json")["Records"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": unreadable["messageId"]}]}
    assert world.pushed() == ["Sample code: 00013"]
    [sms] = world.sale(ACTIVATIONS + 13).sms
    assert (sms.push_state, sms.attempts) == (PushState.DELIVERED, 2)


# ---------------------------------------------------------------- streams and schedule


@expects("projection/numbers-changed.json")
def changed_numbers_are_counted(answer: Any, world: SampleWorld) -> None:
    """One number was issued and one is new: one more in all, as many free as before."""
    assert answer is None
    [pool] = world.all_of("AVAILABILITY_TABLE")
    assert (pool["total"], pool["free"], pool["blocked_free"]) == (10, 2, "go=1")
    [holder] = world.all_of("HOLDERS_TABLE")
    assert (holder["partner_id"], holder["held"]) == ("samplehub", 8)


@expects("line_states/device-reported.json")
def a_number_whose_line_went_offline_is_off_sale(answer: Any, world: SampleWorld) -> None:
    assert answer is None
    assert world.number(FREE).offline is not None


@expects("recount/every-night.json")
def counts_that_are_right_are_left_as_they_are(answer: Any, world: SampleWorld) -> None:
    assert answer is None
    [pool] = world.all_of("AVAILABILITY_TABLE")
    assert (pool["total"], pool["free"], pool["blocked_free"], "recount" in pool) == (9, 2, "go=1", False)


@expects("hourly_counts/every-minute.json")
def hours_and_stock_are_measured(answer: Any, world: SampleWorld) -> None:
    """What the sample data hold began long ago: the last hours are empty."""
    assert answer is None
    kept = world.all_of("STATISTICS_TABLE")
    assert [item["live"] for item in kept if item["kind"] == "hour"] == [0] * COUNTED_AGAIN
    assert [(item["numbers"], item["free"]) for item in kept if item["kind"] == "stock"] == [(9, 2)]


@expects("sweep/every-minute.json")
def a_lease_that_ran_out_is_let_go_and_lost_pushes_are_queued(answer: Any, world: SampleWorld) -> None:
    assert answer is None
    assert world.number(RUN_OUT).activation_id is None
    assert world.number(OF_SMS).activation_id == ACTIVATIONS + 10
    assert {message["smsId"] - MESSAGES for message in world.queued()} == {12, 13, 16}


# ---------------------------------------------------------------- console


@expects("console/page.json")
def the_page_of_the_console_is_served(answer: Any, world: SampleWorld) -> None:
    assert answer["statusCode"] == 200, f"{answer}: make console"
    domain = samples.read("console/page.json")["requestContext"]["domainName"]
    page = gzip.decompress(base64.b64decode(answer["body"])).decode()
    assert f'<base href="https://{domain}/live/console/">' in page


@expects("console/file.json")
def a_file_of_the_console_is_served_packed(answer: Any, world: SampleWorld) -> None:
    assert answer["statusCode"] == 200, f"{answer}: make console"
    assert answer["headers"]["Content-Encoding"] == "gzip"
    assert b"preact" in gzip.decompress(base64.b64decode(answer["body"]))


# ---------------------------------------------------------------- admin_api


@expects("admin_api/list-partners.json")
def partners_are_listed_without_their_keys(answer: Any, world: SampleWorld) -> None:
    _, body = said(answer)
    assert [partner["partnerId"] for partner in body["partners"]] == ["samplehub"]
    [partner] = world.all_of("PARTNERS_TABLE")
    assert partner["key"] not in answer["body"]


@expects("admin_api/issue-key.json")
def a_new_partner_gets_a_key(answer: Any, world: SampleWorld) -> None:
    status, body = said(answer)
    assert (status, body["name"], body["services"]) == (201, "Another Sample Hub", ["tg"])
    stored = {partner["partner_id"]: partner["key"] for partner in world.all_of("PARTNERS_TABLE")}
    assert stored[body["partnerId"]] == body["key"]


@expects("admin_api/import-numbers-csv.json")
def a_csv_is_imported_row_by_row(answer: Any, world: SampleWorld) -> None:
    _, body = said(answer)
    assert (body["imported"], body["updated"], [row["row"] for row in body["rejected"]]) == (1, 1, [3])
    assert world.number("447700900050").operator == POOL


@expects("admin_api/read-activation.json")
def an_activation_is_shown_with_its_messages_and_attempts(answer: Any, world: SampleWorld) -> None:
    _, body = said(answer)
    [message] = body["messages"]
    assert (message["pushState"], [attempt["httpStatus"] for attempt in message["attemptLog"]]) == ("delivered", [200])


@expects("admin_api/create-source.json")
def a_new_source_gets_a_url_and_a_secret(answer: Any, world: SampleWorld) -> None:
    status, body = said(answer)
    context = samples.read("admin_api/create-source.json")["requestContext"]
    assert (status, body["url"]) == (201, f"https://{context['domainName']}/live/inbound/{body['sourceId']}")
    secrets = {source["source_id"]: source["secret"] for source in world.all_of("SOURCES_TABLE")}
    assert secrets[body["sourceId"]] == body["secret"]
