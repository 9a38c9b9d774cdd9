"""Takes a number, waits for its SMS, closes the activation. Python 3.9 or newer, nothing to install.

GLOBALCONNECT_URL=… GLOBALCONNECT_KEY=… python3 client.py england any tg
"""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ["GLOBALCONNECT_URL"].rstrip("/")
KEY = os.environ["GLOBALCONNECT_KEY"]
PATIENCE = 600  # seconds; an activation lives for an hour


def answer_to(request, may_repeat=True):
    for wait in (1, 2, 4, None):
        try:
            with urllib.request.urlopen(request, timeout=35) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            # 503: nothing was changed. After another failure GET_NUMBER may have taken a number.
            again = refused.code == 503 or (refused.code >= 500 and may_repeat)
            why = f"{refused.code} {refused.read().decode()}"
        except OSError as failed:
            again, why = may_repeat, f"no answer: {failed}"
        if wait is None or not again:
            sys.exit(why)
        time.sleep(wait)


def call(action, **fields):
    body = json.dumps({"key": KEY, "action": action, **fields}).encode()
    request = urllib.request.Request(f"{URL}/SMSBOWER", body, {"Content-Type": "application/json"})
    return answer_to(request, may_repeat=action != "GET_NUMBER")


def messages_of(activation_id):
    query = urllib.parse.urlencode({"apiKey": KEY, "id": activation_id})
    return answer_to(f"{URL}/SMSBOWER/getsms/?{query}")


country, operator, service = sys.argv[1:]
taken = call("GET_NUMBER", country=country, operator=operator, service=service)
if taken["status"] != "SUCCESS":
    sys.exit(taken["status"])
print("number", taken["number"], "activation", taken["activationId"], flush=True)

deadline = time.monotonic() + PATIENCE
polled = messages_of(taken["activationId"])
while polled["status"] == "WAIT_CODE" and time.monotonic() < deadline:
    time.sleep(2)
    polled = messages_of(taken["activationId"])

for sms in polled.get("messages", []):
    print("sms", sms["phoneFrom"], sms["text"], flush=True)
# 3: it was used. 4: nothing came. Sent again, it has one effect.
outcome = 3 if polled["status"] == "SUCCESS" else 4
print("finished", call("FINISH_ACTIVATION", activationId=taken["activationId"], status=outcome)["status"])
