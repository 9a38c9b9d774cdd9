"""Keys, secrets and SMS texts never reach a log of ours."""

from typing import Any

import boto3

from local.pretend_partner import BROKEN, PretendPartner
from tests.contract.market import Market, until

TEXT = "Code 7130542 of a very secret kind"


def test_no_function_logs_a_key_a_secret_a_push_url_or_what_an_sms_says(market: Market) -> None:
    with PretendPartner([BROKEN]) as partner:
        hub, service, pool, gateway = market.hub(pushUrl=partner.url), market.service(), market.pool(), market.gateway()
        signing = market.made("POST", f"/admin/partners/{hub.partner_id}/signing-secret")["signingSecret"]
        activation_id = hub.buy(pool, service)["activationId"]
        gateway.deliver({"phone": pool.phones[0], "from": "Microsoft", "text": TEXT})
        gateway.deliver(f'{{"phone": "447", "text": "{TEXT}"'.encode())
        partner.wait_for(1, 60)
        hub.messages(activation_id)
        rotated = market.made("POST", f"/admin/partners/{hub.partner_id}/rotate-key")["key"]
        hub.messages(activation_id)
    wanted = (f'"activation_id":{activation_id}', "push_attempts")
    logged = until(lambda: _logged(market), lambda text: all(each in text for each in wanted))
    for secret in (hub.key, rotated, signing.removeprefix("whsec_"), gateway.secret, TEXT, "7130542", partner.url):
        assert secret not in logged


def _logged(market: Market) -> str:
    session = boto3.Session(
        aws_access_key_id="testing", aws_secret_access_key="testing", region_name=market.stack.region
    )
    logs: Any = session.client("logs", endpoint_url=market.stack.endpoint_url)
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    pages = [page for group in groups for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)]
    return "\n".join(event["message"] for page in pages for event in page["events"])
