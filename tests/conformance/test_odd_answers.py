"""Whatever a supplier answers or pushes, a check passes, fails, or says why it can't be made; and the reports are whole."""

import http.client
import json
import random
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from conformance.checks.check import check
from conformance.checks.running import run_checks
from conformance.gallery.supplier import KEY, OTHER_KEY, Request, Supplier
from conformance.gallery.ways import Ways
from conformance.hubs import HUBS, Hub
from conformance.push_server import PushServer
from conformance.report import FORMATS, Report, Verdict
from conformance.trial import Failed, Run, Trial
from tests.conformance.matrix import SETTINGS

VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 0.5, 1e999, 10**400, [], {}, [[1]], {"a": [None]}, "", "x", "9" * 5000, "\ud800", "٣", "1\n2"),
    *(KEY, f"{OTHER_KEY}]]>\x00\x1b[2J&<", "2026-07-01T00:00:00", "9999-99-99", [{"country": []}]),
)
BODIES = (
    *(
        b"",
        b"null",
        b"7",
        b"[]",
        b'"SUCCESS"',
        b"{",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe{",
        b"<html>]]></html>",
    ),
    *(b'{"status":"SUCCESS","number":' + b"9" * 5000 + b"}", b'{"status":"SUCCESS","number":NaN}', b"\xef\xbb\xbf{}"),
    *('{"status":"SUCCESS"}'.encode("utf-16"), b'{"status":"SUCCESS","number":"\xff"}', KEY.encode("utf-16")),
)
HEADERS: tuple[dict[str, str], ...] = (
    {"content-type": "text/\xff\x00; é"},
    {"content-encoding": "gzip"},
    {"content-encoding": "\xff"},
    {},
)
# Quick, for all that is waited for in vain.
QUICK = replace(SETTINGS, retry=0.001, tolerance=0.01, soon=0.001, poll=0.002, outlive=0.001, most=3, at_once=3)


class Odd(Supplier):
    """Answers and pushes as it should, but for some of it."""

    def __init__(self, hub: Hub, pushes: PushServer, chance: random.Random) -> None:
        super().__init__(hub, Ways(), None, 1.0)
        self.pushes, self.chance = pushes, chance

    def odd(self, content: Any) -> Any:
        """Return a content in which a value, or a name, is another one."""
        if not isinstance(content, dict | list) or not content or self.chance.random() < 0.2:
            return self.chance.choice(VALUES)
        if isinstance(content, list):
            return [self.odd(content[0]), *content[1:]]
        name = self.chance.choice([*content])
        if self.chance.random() < 0.1:
            return {**content, str(self.chance.choice(VALUES)): content[name]}
        return {**content, name: self.odd(content[name])}

    def said(self, content: Any) -> tuple[Mapping[str, str], bytes]:
        headers = {"content-type": "application/json; charset=utf-8"}
        match self.chance.randrange(10):
            case 0:
                return headers, self.chance.choice(BODIES)
            case 1:
                return headers | self.chance.choice(HEADERS), json.dumps(content).encode()
            case 2 | 3 | 4:
                content = self.odd(content)
        return headers, json.dumps(content).encode()

    def receive(self, phone: str, text: str) -> None:
        fields = {"action": "PUSH_SMS", "key": KEY, "smsId": 7, "phone": phone, "phoneFrom": "A", "text": text}
        headers, body = self.said({**fields, **self.hub.push_extras})
        for _ in range(3):
            self.pushes.receive("POST", "/", headers, body)


class Wire:
    """Stands for a connection of http.client."""

    supplier: Odd

    def __init__(self, host: str, port: int | None, timeout: float) -> None:
        self.status = 200

    def request(self, method: str, target: str, body: bytes | None, headers: Mapping[str, bytes]) -> None:
        answer = self.supplier.answer(Request(method, target, {}, body or b""))
        self.status = answer.status
        self.headers, self.body = self.supplier.said(answer.content)

    def getresponse(self) -> "Wire":
        return self

    def read(self) -> bytes:
        return self.body

    def getheaders(self) -> list[tuple[str, str]]:
        return [*self.headers.items()]

    def close(self) -> None:
        pass


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", HUBS)
def test_no_answer_breaks_a_check_or_a_report(name: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = HUBS[name]
    with PushServer() as pushes:
        supplier = Odd(hub, pushes, random.Random(f"{name} {seed}"))
        monkeypatch.setattr(http.client, "HTTPConnection", type("Here", (Wire,), {"supplier": supplier}))
        settings = replace(QUICK, url="http://127.0.0.1:1/hub", pushes=pushes, sms=supplier.receive)
        results = run_checks(hub, settings)
    assert {each.check.name for each in results} == hub.rules.keys()
    assert [each.why for each in results if "broke off" in each.why] == []
    report = Report(settings.url, "now", [Verdict(hub, results)], settings.masking)
    for file, form in FORMATS.items():
        told = form(report)
        told.encode()
        assert KEY not in told
        assert OTHER_KEY not in told
        if file.endswith("xml"):
            assert len([*ET.fromstring(told).iter("testcase")]) == len(results)  # noqa: S314 - our own
        if not file.endswith("json"):
            assert {"\x00", "\x1b"}.isdisjoint(told)


def test_what_a_check_cannot_cope_with_is_a_failure() -> None:
    @check("odd", "Odd", sends="nothing")
    def broken(trial: Trial) -> str | None:
        raise ZeroDivisionError("key-of-the-hub")

    with pytest.raises(Failed, match=r"broke off: ZeroDivisionError\.$"):
        broken.run(Trial(Run(HUBS["seed"], QUICK)))
