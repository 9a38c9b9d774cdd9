"""SMS that are polled."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from conformance.answers import OK
from conformance.checks.check import Need, check
from conformance.checks.expectations import expect, is_a, refused
from conformance.exchange import Exchange
from conformance.trial import Bought, Failed, NotRun, Trial, short, unknown_activation


@check("getsms", "getsms says WAIT_CODE, and ERROR to strangers", sends="GET_NUMBER, getsms 3 times, finish 5")
def _getsms(trial: Trial) -> str | None:
    bought = trial.buy()
    key = trial.settings.key
    refused(trial, _polled(trial, bought.activation_id, "conformance-nobody"), "getsms with an unknown key", "key")
    refused(trial, _polled(trial, unknown_activation(), key), "getsms of an unknown activation", "activation")
    waiting = _polled(trial, bought.activation_id, key)
    expect(
        waiting.status == OK and waiting.field("status") == "WAIT_CODE",
        f"getsms before an SMS: not WAIT_CODE but {short(waiting)}",
    )
    return None


@check(
    "getsms-messages",
    "getsms shows an SMS that came",
    Need.SMS,
    sends="GET_NUMBER, getsms until the SMS is there, finish 5",
)
def _getsms_messages(trial: Trial) -> str | None:
    bought = trial.buy()
    text = trial.sms(bought.phone)
    message = _message(trial, bought)
    wanted = {"phone": bought.phone, "text": text}
    for name, value in wanted.items():
        expect(message.get(name) == value, f"{name} is {json.dumps(message.get(name))}, not {json.dumps(value)}.")
    for name in ("smsId", "phone", "phoneFrom", "text", "receivedAt"):
        expect(is_a(message.get(name), str), f"{name} is {json.dumps(message.get(name))}, not a string.")
    try:
        received = datetime.fromisoformat(message["receivedAt"])
    except ValueError:
        raise Failed(f"receivedAt is {message['receivedAt']}.") from None
    expect(received.tzinfo is not None, "receivedAt has no offset.")
    return None


@check(
    "getsms-foreign",
    "getsms is ERROR to another key, before an SMS and after it",
    Need.OTHER_KEY,
    Need.SMS,
    sends="GET_NUMBER with KEY, getsms with KEY2, an SMS, getsms until it is there, getsms with KEY2, finish 5",
)
def _getsms_foreign(trial: Trial) -> str | None:
    bought = trial.buy()
    if trial.is_others(bought):
        raise NotRun("KEY2 has an activation of that id, too.")
    other_key = trial.settings.other_key or ""
    refused(trial, _polled(trial, bought.activation_id, other_key), "getsms with KEY2", "activation")
    trial.sms(bought.phone)
    _message(trial, bought)
    refused(trial, _polled(trial, bought.activation_id, other_key), "getsms with KEY2 after an SMS", "activation")
    return None


def _message(trial: Trial, bought: Bought) -> Mapping[str, Any]:
    for _ in range(20):
        answer = _polled(trial, bought.activation_id, trial.settings.key)
        messages = answer.field("messages")
        if answer.field("status") == "SUCCESS":
            expect(isinstance(messages, list) and messages, f"SUCCESS without messages: {short(answer)}")
            expect(isinstance(messages[0], dict), f"A message is no object: {short(answer)}")
            return dict(messages[0])
        expect(answer.field("status") == "WAIT_CODE", f"getsms is neither WAIT_CODE nor SUCCESS: {short(answer)}")
        trial.sleep(trial.settings.soon / 10)
    raise Failed("getsms doesn't show the SMS.")


def _polled(trial: Trial, activation_id: object, key: str) -> Exchange:
    return trial.get("/getsms/", apiKey=key, id=activation_id)
