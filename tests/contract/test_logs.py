"""Keys, secrets and SMS texts never reach a log of ours."""

from local.aws import session
from local.pretend_partner import BROKEN, PretendPartner
from tests.contract.market import Market, until

TEXT = "Code 7130542 of a very secret kind"


def test_no_function_logs_a_key_a_secret_a_push_url_or_what_an_sms_says(market: Market) -> None:
    with PretendPartner([BROKEN]) as partner:
        sale = market.sell(market.hub(pushUrl=partner.url))
        path, key = f"/admin/partners/{sale.hub.partner_id}", sale.hub.key
        signing = market.made("POST", f"{path}/signing-secret")["signingSecret"]
        sale.deliver(TEXT)
        sale.gateway.deliver(f'{{"phone": "447", "text": "{TEXT}"'.encode())
        partner.wait_for(1, 60)
        sale.polled()
        rotated = market.made("POST", f"{path}/rotate-key")["key"]
        sale.polled()
    wanted = (f'"activation_id":{sale.activation_id}', "push_attempts")
    logged = until(lambda: _logged(market), lambda text: all(each in text for each in wanted))
    for secret in (key, rotated, signing.removeprefix("whsec_"), sale.gateway.secret, TEXT, "7130542", partner.url):
        assert secret not in logged


def _logged(market: Market) -> str:
    logs = session().client("logs", endpoint_url=market.stack.endpoint_url)
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    pages = [page for group in groups for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)]
    return "\n".join(event["message"] for page in pages for event in page["events"])
