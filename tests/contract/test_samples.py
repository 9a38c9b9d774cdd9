"""The samples for partners, and the requests that the partners' page has to copy, on a deployed stack."""

import html
import json
import os
import re
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from local.place import REPOSITORY
from tests import samples
from tests.contract.market import COLD_START_SECONDS, Market, until

PAGE = (REPOSITORY / "console" / "src" / "partner-page" / "index.html").read_text(encoding="utf-8")
REQUESTS = dict(re.findall(r'<x-code name="(\S+) with curl">\n(.*?)</x-code>', PAGE, re.DOTALL))


@pytest.mark.parametrize("language", samples.CLIENTS)
def test_a_client_gets_a_number_and_its_sms_which_is_pushed_to_a_receiver(
    market: Market, language: str, tmp_path: Path
) -> None:
    hub, gateway, pool, service = market.hub(), market.gateway(), market.pool(), market.service()
    path = f"/admin/partners/{hub.partner_id}"
    with ExitStack() as running:
        receiver = None
        if language in samples.RECEIVERS:
            secret = market.made("POST", f"{path}/signing-secret")["signingSecret"]
            receiver = running.enter_context(samples.receiver(language, secret, tmp_path))
            market.made("PATCH", path, {"pushUrl": receiver.url})
        run = running.enter_context(samples.client(language, market.stack.api, hub.key, pool.country, "any", service))
        assert run.stdout is not None
        said, number, _, activation_id = run.stdout.readline().split()
        assert (said, number) == ("number", pool.phones[0])
        assert gateway.deliver({"phone": number, "from": "Bänk", "text": "Your code: 50151"}).status_code == 200
        rest, failed = run.communicate(timeout=COLD_START_SECONDS)
        assert "Bänk" in rest
        assert "50151" in rest
        assert (rest.splitlines()[-1], failed) == ("finished SUCCESS", "")
        if receiver:
            ((_, body),) = until(receiver.taken, lambda taken: len(taken) == 1, COLD_START_SECONDS).items()
            assert json.loads(body)["text"] == "Your code: 50151"
    shown = market.made("GET", f"/admin/activations/{activation_id}?texts=hidden")
    assert shown["outcome"] == 3


def test_the_requests_of_the_partners_page_work_as_pasted(market: Market) -> None:
    hub, gateway, pool, service = market.hub(), market.gateway(), market.pool(), market.service()

    def pasted(action: str, **variables: str) -> dict[str, object]:
        text = html.unescape(REQUESTS[action]).replace("https://api.example", market.stack.api)
        lines = text.replace("england", pool.country).replace('"tg"', f'"{service}"')
        env = {"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1", "GLOBALCONNECT_KEY": hub.key, **variables}
        run = subprocess.run(["bash"], input=lines, env=env, capture_output=True, text=True, check=True, timeout=60)
        answer: dict[str, object] = json.loads(run.stdout)
        return answer

    listed = until(lambda: pasted("GET_SERVICES")["countryList"], lambda countries: pool.country in str(countries))
    assert service in str(listed)
    taken = pasted("GET_NUMBER")
    assert taken["number"] == pool.phones[0]
    one = str(taken["activationId"])
    assert pasted("getsms", ID=one) == {"status": "WAIT_CODE"}
    gateway.deliver({"phone": taken["number"], "from": "Bank", "text": "Your code: 50151"})
    assert "50151" in str(until(lambda: pasted("getsms", ID=one), lambda polled: polled["status"] == "SUCCESS"))
    assert pasted("FINISH_ACTIVATION", ID=one) == {"status": "SUCCESS"}
    assert market.made("GET", f"/admin/activations/{one}?texts=hidden")["outcome"] == 3
