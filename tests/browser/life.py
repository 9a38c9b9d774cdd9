"""Some business on a stack, so that every page has something to show."""

from collections.abc import Sequence
from dataclasses import dataclass

from local.pretend_partner import ERROR, PretendPartner
from tests.browser.modems import OFFLINE, ONLINE, Modems, taken_off_sale
from tests.contract.market import Market, Pool

SERVICES = {"tg": "Telegram", "wa": "WhatsApp", "go": "Google", "vk": "VK"}
POOLS = {("england", "Hutchison 3G UK Ltd"): 12, ("england", "Vodafone Ltd"): 8, ("poland", "Play"): 6}
# The functions that push may have to be started first.
PUSH_SECONDS = 120.0
# What outsiders may send: it must be shown as the text that it is.
HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script> {{7*7}} \'x\' & "y"'


@dataclass(frozen=True, slots=True)
class Life:
    """What pages are about, by the ids in their addresses."""

    market: Market
    partner_id: str
    phone: str
    activation_id: int
    import_id: str
    source_id: str
    modems_id: str


def live(market: Market) -> Life:
    """Do some business: services, pools, partners, sales with every outcome, SMS taken, refused and unclaimed, and lines that
    are online or not, of one the number is sold.
    """
    for code, name in SERVICES.items():
        market.made("PUT", f"/admin/services/{code}", {"name": name, "enabled": code != "vk"})
    pools = [_pool(market, country, operator, size, at) for at, ((country, operator), size) in enumerate(POOLS.items())]
    gateway = market.gateway()
    with PretendPartner() as taking, PretendPartner([ERROR] * 100) as refusing:
        hub = market.hub(name="Example Hub", pushUrl=taking.url)
        slow = market.hub(name="Refusing Hub", pushUrl=refusing.url, services=["tg", "wa"])
        market.hub(name=HOSTILE[:100].strip())
        sold = [hub.buy(pools[0], "tg") for _ in range(5)]
        for bought, text in zip(sold, ("Your code: 50151", HOSTILE, "Code 4711", "12345 is yours", ""), strict=True):
            if text:
                gateway.deliver({"phone": bought["number"], "from": "Telegram", "text": text})
        # No SMS is pushed after its activation is finished.
        taking.wait_for(4, PUSH_SECONDS)
        for bought, outcome in zip(sold, (3, 3, 4, 5), strict=False):
            hub.finish(bought["activationId"], outcome)
        waiting = slow.buy(pools[1], "wa")
        gateway.deliver({"phone": waiting["number"], "from": HOSTILE[:100], "text": HOSTILE})
        gateway.deliver({"phone": pools[2].phones[0], "from": "Nobody", "text": HOSTILE})
        gateway.deliver({"what": "this can't be read", "text": HOSTILE})
        gateway.deliver({"line": HOSTILE[:100], "from": "Nobody", "text": HOSTILE})
        # Its server goes when this ends; what waits for it goes on waiting.
        market.made("PATCH", f"/admin/partners/{hub.partner_id}", {"pushUrl": None})
    phone, activation = waiting["number"], waiting["activationId"]
    modems = _modems(market, pools[2].phones, phone)
    return Life(market, slow.partner_id, phone, activation, _import(market), gateway.source_id, modems.source_id)


def _modems(market: Market, free: Sequence[str], sold: str) -> Modems:
    ports = [f"1.{port:02}" for port in range(1, 8)]
    modems = Modems.added(market, dict(zip(ports, [*free[:5], sold], strict=False)))
    states = dict(zip(ports, (ONLINE, OFFLINE, ONLINE, ONLINE, ONLINE, OFFLINE, ONLINE), strict=True))
    modems.report(states, {port: f"89441000000000000{port[-2:]}" for port in ports[3:]})
    taken_off_sale(market, sold)
    return modems


def _import(market: Market) -> str:
    job: str = market.made("POST", "/admin/imports", {"fileName": "numbers of May.csv"})["importId"]
    rows = f"phone,country,operator\n447700190001,england,Vodafone Ltd\n=1+1,england,{HOSTILE[:20]}\n"
    path, typed = f"/admin/imports/{job}/parts/1", {"Content-Type": "text/csv"}
    assert market.admin("PUT", path, rows.encode(), headers=typed).is_success
    market.made("POST", f"/admin/imports/{job}/finish")
    return job


def _pool(market: Market, country: str, operator: str, size: int, at: int) -> Pool:
    phones = tuple(str(447_700_100_000 + at * 1_000 + number) for number in range(size))
    rows = [{"phone": phone, "country": country, "operator": operator} for phone in phones]
    market.made("POST", "/admin/numbers", rows)
    return Pool(country, operator, phones)
