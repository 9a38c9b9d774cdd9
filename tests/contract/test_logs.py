"""Keys, secrets and SMS texts never reach a log of ours."""

from local.pretend_partner import BROKEN, PretendPartner
from tests.contract.market import Market, logged, until

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
    lines = until(lambda: logged(market), lambda text: all(each in text for each in wanted))
    for secret in (key, rotated, signing.removeprefix("whsec_"), sale.gateway.secret, TEXT, "7130542", partner.url):
        assert secret not in lines
