"""Rows hubs.1 to hubs.6: the acceptance tests of each hub (`conformance/`) on the local stack, in that hub's dialect.

A run of all six writes docs/conformance.md.
"""

import hashlib
import hmac
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from bench.row import Row, Say
from conformance.checks.catalogue import CHECKS
from conformance.checks.check import Outcome, Result
from conformance.checks.running import run_checks
from conformance.hubs import ENOUGH, HUBS, Hub, Level
from conformance.push_server import PushServer
from conformance.report import Verdict, line
from conformance.sms_command import MakeSms
from conformance.trial import Settings
from local import stack
from local.place import REPOSITORY

_DIALECTS = {
    "seed": "globalconnect",
    "smshub": "smshub",
    "smsbower": "smsbower",
    "grizzly": "grizzly",
    "onlinesim": "onlinesim",
    "herosms": "herosms",
}
_HUB_OF = {f"hubs.{number}": name for number, name in enumerate(_DIALECTS, start=1)}
IDS = tuple(_HUB_OF)
PAGE = REPOSITORY / "docs" / "conformance.md"

# So few of one that a check can exclude all but one of them by whole numbers, so many of the other that 30 are sold at once.
_STOCK = {"Vodafone": 8, "O2": 40}
_COUNTRY = "england"
# Older than what the push retries of the other checks take.
_OUTLIVE = 75.0
_CALL_SECONDS = 120.0
_WARM = 30
_DECIDING = (Level.REQUIRED, Level.OBSERVED)


def rows(progress: Say, wanted: Collection[str] = IDS) -> Iterator[Row]:
    """Check a stack of its own; the value is the number of required and observed checks that did not pass."""
    verdicts: dict[str, Verdict] = {}
    with TemporaryDirectory() as folder:
        try:
            up = stack.up(Path(folder))
            with httpx.Client(base_url=up.api, timeout=_CALL_SECONDS, trust_env=False) as http, PushServer() as pushes:
                supplier = _Supplier(http, up.admin_token)
                for row_id in (each for each in IDS if each in wanted):
                    hub = HUBS[_HUB_OF[row_id]]
                    verdicts[row_id] = Verdict(hub, supplier.check(hub, up.api, pushes, progress))
                    yield _row(row_id, verdicts[row_id])
        finally:
            stack.down(Path(folder))
    if len(verdicts) == len(IDS):
        PAGE.write_text(page(list(verdicts.values())), encoding="utf-8")
        progress(f"{PAGE.relative_to(REPOSITORY)} is written")


class _Supplier:
    """The stack, with numbers on sale to a partner for each hub, and a gateway."""

    def __init__(self, http: httpx.Client, token: str) -> None:
        self._http = http
        self._token = token
        source = self._made("POST", "/admin/sources", {"name": "Gateway", "provider": "generic"})
        self._inbound, self._secret = source["url"], source["secret"]
        phones = [
            {
                "phone": str(447_400_000_000 + place * 1_234_567 + number * 1_013),
                "country": _COUNTRY,
                "operator": operator,
            }
            for place, (operator, size) in enumerate(_STOCK.items())
            for number in range(size)
        ]
        self._made("POST", "/admin/numbers", phones)

    def warm_up(self, key: str) -> None:
        """Have as many processes of a function started as calls come at once: here all starts share two processors."""
        with ThreadPoolExecutor(_WARM) as callers:
            asked = {"action": "GET_SERVICES", "key": key}
            list(callers.map(lambda _: self._http.post("/SMSBOWER", json=asked), range(_WARM)))

    def check(self, hub: Hub, api: str, pushes: PushServer, progress: Say) -> Sequence[Result]:
        """Make the checks of a hub on partners and services of its own."""
        services = [f"{hub.name}{number}" for number in (1, 2)]
        for service in services:
            self._made("PUT", f"/admin/services/{service}", {"name": service})
        wanted = {"name": hub.title, "dialect": _DIALECTS[hub.name], "services": services, "pushUrl": pushes.url}
        key, other_key = (self._made("POST", "/admin/partners", wanted)["key"] for _ in range(2))
        self.warm_up(key)
        settings = Settings(
            f"{api.rstrip('/')}/SMSBOWER",
            key,
            other_key=other_key,
            pushes=pushes,
            sms=self.sms(),
            destructive=True,
            outlive=_OUTLIVE,
            per_second=20.0,
        )
        return run_checks(hub, settings, lambda result: progress(f"{hub.name}: {line(result)}"))

    def sms(self) -> MakeSms:
        """Return what has an SMS come by the gateway."""

        def made(phone: str, text: str) -> None:
            body = json.dumps(
                {"phone": phone, "from": "Microsoft", "text": text, "id": text}, ensure_ascii=False
            ).encode()
            signed = hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()
            headers = {"X-Signature": signed, "Content-Type": "application/json"}
            self._http.post(self._inbound, content=body, headers=headers).raise_for_status()

        return made

    def _made(self, method: str, path: str, body: object) -> dict[str, Any]:
        answer = self._http.request(method, path, json=body, headers={"Authorization": self._token})
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content


def _row(row_id: str, verdict: Verdict) -> Row:
    wrong = [
        result for result in verdict.results if result.basis.level in _DECIDING and result.outcome is not Outcome.PASSED
    ]
    claim = f"our stack passes every required and observed check of {verdict.hub.title}"
    return Row(row_id, claim, len(wrong), "checks that did not pass", 0, ok=not wrong)


_INTRODUCTION = f"""# Conformance

What the acceptance tests of hubs ([conformance/README.md](../conformance/README.md)) find of our own stack, deployed on one
machine, with a partner in each dialect ([contract](contract.md), 1.9). Written by
`make bench ARGS="{" ".join(IDS)}"`; don't edit it by hand.

No hub endorses this, and no real hub was called. A rule is **required** when the hub's own document says it, **observed** when it
was seen in traffic or in the code of others that serve the hub, **assumed** when only its relatives want it. Required ones decide;
a hub with fewer than {ENOUGH} of them is not certified, whatever else passes. "Only the hub ends an activation" is shown on one that is
{_OUTLIVE:g} s old here.
"""
_LEGEND = (
    "A cell says whether the check passed, and how sure the rule is: R required, O observed, A assumed; empty where the hub has "
    "no such rule."
)
_MARKS = {Outcome.PASSED: "yes", Outcome.FAILED: "**no**", Outcome.NOT_RUN: "not run"}


def page(verdicts: Sequence[Verdict]) -> str:
    """Return docs/conformance.md: the verdicts, and every check with what became of it at each hub."""
    of_hub: Mapping[str, Mapping[str, Result]] = {
        verdict.hub.name: {result.check.name: result for result in verdict.results} for verdict in verdicts
    }
    lines = [
        _INTRODUCTION,
        "| hub | verdict | required | observed | assumed | rules from |",
        "|---|---|---|---|---|---|",
        *(_verdict(verdict) for verdict in verdicts),
        "",
        _LEGEND,
        "",
        f"| check | {' | '.join(of_hub)} |",
        f"|---|{'---|' * len(of_hub)}",
    ]
    lines += [
        f"| {check.title} (`{name}`) | {' | '.join(_cell(results.get(name)) for results in of_hub.values())} |"
        for name, check in CHECKS.items()
    ]
    wrong = [
        f"- {verdict.hub.name}, `{result.check.name}`, {result.outcome}: {result.why}"
        for verdict in verdicts
        for result in verdict.results
        if result.outcome is not Outcome.PASSED
    ]
    lines += ["", "What did not pass:" if wrong else "Every check that a hub has was run and passed.", "", *wrong]
    return "\n".join(lines).rstrip() + "\n"


def _verdict(verdict: Verdict) -> str:
    def of(level: Level) -> str:
        passed, failed, not_run = (verdict.count(level, outcome) for outcome in Outcome)
        return f"{passed} of {passed + failed + not_run}"

    levels = " | ".join(of(level) for level in Level)
    return f"| {verdict.hub.title} | {verdict.word}: {verdict.why} | {levels} | {verdict.hub.document} |"


def _cell(result: Result | None) -> str:
    return f"{_MARKS[result.outcome]} {result.basis.level[0].upper()}" if result else ""
