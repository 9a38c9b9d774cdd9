"""Hubs that buy from a world, and take its pushes: those of `conformance.hubsim`, without a network between."""

import asyncio
import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

import partner_api.app
from conformance.exchange import Client, Exchange, Pace, unpacked
from conformance.hubsim.behaviour import CUT, Answer
from conformance.hubsim.events import Pushed, Reply
from conformance.hubsim.forms import wrong_push
from conformance.hubsim.partner import SimulatedHub
from globalconnect import VERSION
from globalconnect.domain.push_attempt import ATTEMPT_TIMEOUT_SECONDS, AttemptOutcome
from globalconnect.push.answer import PartnerAnswer
from globalconnect.push.attempt import PushClient
from globalconnect.runtime.http import endpoint
from simulation.day.world import pause
from simulation.pushes.timeline import timeline
from simulation.shop import Shop

# What a request takes on its way from a hub to us, or back (s).
_WAY = 0.02


class NoPace(Pace):
    """Hurries nobody: hubs have their own time between requests, which is the day's."""

    def wait(self, requests: int = 1) -> None:
        pass


@dataclass(slots=True, kw_only=True)
class DoorClient(Client):
    """Asks the handler of the partner API, as API Gateway would."""

    shop: Shop

    def post(self, body: bytes, headers: Mapping[str, str], path: str = "", *, paced: bool = True) -> Exchange:
        pause(_WAY)
        event = {
            "httpMethod": "POST",
            "resource": f"/SMSBOWER{path}",
            "requestContext": {"requestId": "request-1"},
            "headers": dict(headers),
            "multiValueQueryStringParameters": None,
            "body": body.decode(),
            "isBase64Encoded": False,
        }
        answer = endpoint(lambda asked: partner_api.app.answer(asked, self.shop.partner_parts))(event, None)
        pause(_WAY)
        packed = answer["body"].encode()
        if answer.get("isBase64Encoded"):
            packed = base64.b64decode(packed)
        answered = {name.lower(): value for name, value in answer["headers"].items()}
        if answered.get("content-encoding") == "gzip":
            packed = gzip.decompress(packed)
        return Exchange("POST", self.url, headers, body, answer["statusCode"], answered, packed, 2 * _WAY)


class DayHub(SimulatedHub):
    """A hub that lives by the day's time."""

    def now(self) -> float:
        return timeline().time()


class Doors(PushClient):
    """The real push client, whose requests come to hubs of this process, by their Push URLs."""

    def __init__(self) -> None:
        super().__init__(version=VERSION, loopback=False, clock=lambda: timeline().time())
        # Nothing goes by them: requests don't, and Timeline runs in one thread.
        nothing: Any = object()
        self._session = self._reader = nothing
        self.hubs: dict[str, DayHub] = {}

    def open(self, hub: DayHub) -> None:
        self.hubs[push_url(hub.name)] = hub

    async def _send(
        self, _session: aiohttp.ClientSession, url: str, request: Any, answer: PartnerAnswer
    ) -> AttemptOutcome | None:
        hub = self.hubs[url]
        headers = {name.lower(): value for name, value in {**self._headers, **request.headers}.items()}
        push = json.loads(unpacked(request.content, headers.get("content-encoding", "")) or b"")
        began, sms_id = hub.now(), str(push["smsId"])
        said = hub.answer(sms_id)
        failure = await _answered(said, answer)
        reply = said.reply
        if failure is AttemptOutcome.TIMEOUT:
            reply = Reply.UNSURE if reply is Reply.TAKEN else Reply.REFUSED
        pushed = Pushed(
            began,
            hub.now(),
            hub.name,
            hub.name,
            sms_id,
            str(push["phone"]),
            str(push["text"]),
            reply,
            said.script,
            wrong=wrong_push(hub.hub, push, headers, hub.client.key),
        )
        hub.note(pushed)
        hub.taken(pushed)
        return failure


def push_url(name: str) -> str:
    return f"https://{name}.example/push"


async def _answered(said: Answer, answer: PartnerAnswer) -> AttemptOutcome | None:
    """Read a hub's answer into `answer`; return what kept it from being read to its end, if anything."""
    if said.body is None or said.pause > ATTEMPT_TIMEOUT_SECONDS:
        await asyncio.sleep(ATTEMPT_TIMEOUT_SECONDS)
        return AttemptOutcome.TIMEOUT
    await asyncio.sleep(_WAY + said.pause)
    if said is CUT:
        return AttemptOutcome.CONNECTION
    head, _, answer.body = said.body.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    answer.status = int(first.split(" ")[1])
    headers = dict(line.lower().split(": ", 1) for line in lines)
    answer.whole = len(answer.body) == int(headers["content-length"])
    return None if answer.whole else AttemptOutcome.CONNECTION
