"""Row hubs.7: ten simulated hubs of mixed dialects buy from one stock for 15 minutes, against the local stack.

Gateways of every type of the catalogue deliver the SMS, some of them twice; one hub is down for five minutes. Functions are started
before, and stay: where they share two processors with the hubs, starting ten more takes longer than a hub waits, which says
nothing of AWS (gateways.3 measures a cold start). HUBSIM_MINUTES=1 plays a shorter one, which claims nothing.
"""

import itertools
import os
import random
import socket
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

import httpx
from pydantic.alias_generators import to_camel

from bench.gateways import Delivery, Message, Site, Source, map_lines
from bench.row import Row, Say
from conformance.hubs import HUBS
from conformance.hubsim.play import Outcome, Partner, Settings, play
from conformance.hubsim.report import as_html, as_text
from globalconnect.domain.provider import PROVIDERS
from local import emulator, stack
from local.place import Place
from simulation.gateways import sample_of

IDS = ("hubs.7",)

MINUTES, DOWN_MINUTES = 15.0, 5.0
RATE, LEAST_RATE = 1.5, 1.0
# So large a share of SMS may have been finished before they could be judged.
_MOST_UNJUDGED = 0.02
_SERVICES = ("tg", "wa", "go")
# With the beginning of their numbers.
_POOLS = (
    ("england", "o2", "4474"),
    ("england", "vodafone", "4479"),
    ("germany", "o2", "4917"),
    ("germany", "telekom", "4915"),
    ("spain", "orange", "3465"),
)
_NUMBERS = 120
# Our name of each simulated hub's dialect.
_DIALECTS = {"seed": "globalconnect"}
_HUBS = ("smshub", "smsbower", "grizzly", "onlinesim", "herosms", "seed", "smshub", "smsbower", "grizzly", "onlinesim")
# Of SMS so many are delivered again, and so many gateways don't hear the answer.
_REPEATED = 0.1
_UNHEARD = 0.1
_SHOWN_SECONDS = 120.0
_ROUNDS = 5
_SEED = 18


@dataclass(slots=True)
class Gateways:
    """The sources, by the numbers that are theirs; `wrong` is what was wrong with the answers that they got."""

    site: Site
    sources: Mapping[str, Source]
    rolls: random.Random = field(default_factory=lambda: random.Random(_SEED))  # noqa: S311 - the same play each time
    wrong: list[str] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=itertools.count)
    _lock: Lock = field(default_factory=Lock)

    def send(self, phone: str, text: str) -> bool:
        """Deliver an SMS to a number, by its gateway; some once more. Tell whether it was taken."""
        source = self.sources[phone]
        with self._lock:
            sms_id, again = f"id-{next(self._ids)}", self.rolls.random() < _REPEATED
            lost = self.rolls.choice(("unread", "hung up")) if self.rolls.random() < _UNHEARD else ""
        sent = source.sample.write(sms_id, phone, text, time.time_ns() // 1_000_000)
        delivery = Delivery(Message(source, phone, text, [sent]), sent, lost)
        try:
            wrong = [self.site.deliver(delivery), *([self.site.deliver(delivery)] if again else [])]
        except httpx.HTTPError as error:
            wrong = [f"{source.provider} got no answer: {type(error).__name__}"]
        self.wrong += [one for one in wrong if one]
        return not any(wrong)


def rows(progress: Say, wanted: Collection[str] = IDS) -> Iterator[Row]:
    """Play on a stack of its own; the value is the number of differences in the account."""
    if not set(IDS).intersection(wanted):
        return
    with TemporaryDirectory() as folder:
        try:
            emulator.start(Place(Path(folder).resolve()), emulator.free_port(), {"LAMBDA_WARM_TTL_SECONDS": "3600"})
            yield _play(stack.up(Path(folder)), progress)
        finally:
            stack.down(Path(folder))


def _play(up: stack.Stack, progress: Say) -> Row:
    def say(line: str) -> None:
        progress(f"hubs.7: {line}")

    site = Site(up)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    gateways = Gateways(site, _stock(site))
    minutes = float(os.environ.get("HUBSIM_MINUTES", MINUTES))
    settings = Settings(
        url=f"{up.api}/SMSBOWER",
        partners=_partners(site, port),
        seconds=minutes * 60,
        rate=float(os.environ.get("HUBSIM_RATE", RATE)),
        send=gateways.send,
        port=port,
        down=minutes * 60 * DOWN_MINUTES / MINUTES,
        seed=_SEED,
    )
    _warm_up(site, up.api, settings.partners, say)
    outcome = play(settings, say)
    say(as_text(outcome, settings))
    for line in gateways.wrong:
        say(line)
    _write(outcome, settings, say)
    differences = len(outcome.account.findings) + len(gateways.wrong)
    tallies = outcome.account.tallies.values()
    sms, unjudged = sum(one.sms for one in tallies), sum(one.unjudged for one in tallies)
    claim = (
        f"{len(settings.partners)} simulated hubs of {len(set(_HUBS))} dialects on one stock for {minutes:g} minutes, one of them "
        f"down for {settings.down / 60:g}, SMS of {len(PROVIDERS)} types of gateways, against the local stack: no number sold "
        f"twice, every SMS pushed to its partner until taken, at most {_MOST_UNJUDGED:.0%} of them finished before that could be "
        f"judged (now {unjudged} of {sms}), at {LEAST_RATE:g} whole sale a second or more (now {outcome.sales_a_second:.2f}, "
        f"{len(outcome.account.whole)} in all)"
    )
    is_told = outcome.sales_a_second >= LEAST_RATE and unjudged <= _MOST_UNJUDGED * sms
    ok = not differences and is_told and minutes >= MINUTES
    return Row("hubs.7", claim, differences, "differences", 0, ok)


def _stock(site: Site) -> Mapping[str, Source]:
    """Enter services, a source of each type, and its numbers; return the sources by number."""
    for service in _SERVICES:
        site.staff("PUT", f"/admin/services/{service}", {"name": service, "reusable": False, "enabled": True})
    sources: dict[str, Source] = {}
    for place, provider in enumerate(PROVIDERS):
        sample = sample_of(provider)
        country, operator, prefix = _POOLS[place % len(_POOLS)]
        phones = [f"{prefix}{place:03}{number:05}" for number in range(_NUMBERS)]
        source = Source(provider, sample, phones)
        settings = {to_camel(name): value for name, value in sample.settings.items()}
        entered = {"name": provider, "provider": provider, "secret": source.secret, "settings": settings}
        added = site.staff("POST", "/admin/sources", entered)
        source.source_id, source.url = added["sourceId"], added["url"]
        rows = [{"phone": phone, "country": country, "operator": operator} for phone in phones]
        site.staff("POST", "/admin/numbers", rows)
        map_lines(site, source)
        sources |= dict.fromkeys(phones, source)
    return sources


def _partners(site: Site, port: int) -> Sequence[Partner]:
    partners = []
    for place, name in enumerate(_HUBS, start=1):
        asked = {
            "name": f"{name}-{place}",
            "dialect": _DIALECTS.get(name, name),
            "pushUrl": f"http://127.0.0.1:{port}/{name}-{place}",
            # Else hubs whose activations only FINISH ends have 100 at most, and are shown no more.
            "maxLive": _NUMBERS * len(PROVIDERS),
        }
        partners.append(Partner(f"{name}-{place}", HUBS[name], site.staff("POST", "/admin/partners", asked)["key"]))
    return partners


def _warm_up(site: Site, api: str, partners: Sequence[Partner], say: Say) -> None:
    """Wait until every partner is shown all; ask several at once, so that as many of each function have started."""
    began = time.monotonic()
    total = _NUMBERS * len(PROVIDERS) * len(_SERVICES)

    def ask(partner: Partner) -> None:
        for _ in range(_ROUNDS):
            site.ask(partner.key, "GET_NUMBER", country="nowhere", operator="any", service="tg")
            site.ask(partner.key, "FINISH_ACTIVATION", activationId=1, status=5)
            # No source of ours, which it finds out only once it has started.
            httpx.post(f"{api}/inbound/nobody/secret", json={}, timeout=_SHOWN_SECONDS, trust_env=False)
        while (shown := _shown(site, partner.key)) < total:
            if time.monotonic() - began > _SHOWN_SECONDS:
                raise TimeoutError(f"{shown} of {total} are shown to {partner.name}")
            time.sleep(0.5)

    with ThreadPoolExecutor(2 * len(partners)) as all_at_once:
        list(all_at_once.map(ask, [*partners, *partners]))
    say(f"{total // len(_SERVICES)} numbers are on sale after {time.monotonic() - began:.0f} s")


def _shown(site: Site, key: str) -> int:
    countries = site.ask(key, "GET_SERVICES")["countryList"]
    operators = [(name, counts) for one in countries for name, counts in one["operatorMap"].items()]
    # Where a dialect lists both, `any` is the sum of the others.
    split = [counts for name, counts in operators if name != "any"] or [counts for _, counts in operators]
    return sum(count for counts in split for count in counts.values())


def _write(outcome: Outcome, settings: Settings, say: Callable[[str], None]) -> None:
    path = Path(__file__).with_name("hubs.7.html")
    path.write_text(as_html(outcome, settings), encoding="utf-8")
    say(f"written: {path}")
