"""Takes pushes: checks their signature, keeps each SMS once. Python 3.9 or newer, nothing to install.

GLOBALCONNECT_SECRET=whsec_… python3 receiver.py 9000
"""

import base64
import hashlib
import hmac
import json
import os
import re
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SECRET = base64.b64decode(os.environ["GLOBALCONNECT_SECRET"].removeprefix("whsec_"))
INBOX = Path(os.environ.get("INBOX", "inbox"))
LONGEST = 1_000_000  # bytes
TOLERANCE = 300  # seconds


def is_signed(headers, body):
    sms, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not re.fullmatch("sms_[0-9]{1,16}", sms) or not re.fullmatch("[0-9]{1,12}", at):
        return False
    # An old one may be a copy of somebody who listened.
    if abs(time.time() - int(at)) > TOLERANCE:
        return False
    digest = hmac.new(SECRET, f"{sms}.{at}.".encode() + body, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(digest)
    # There are two while a secret is being replaced.
    signatures = headers.get("webhook-signature", "").encode().split()
    return any(hmac.compare_digest(expected, signature) for signature in signatures)


def keep(sms, body):
    """Store an SMS under its id. Returns False if it is there already: a push may come again."""
    with tempfile.NamedTemporaryFile(dir=INBOX, prefix=".", suffix=".part") as part:
        part.write(body)
        part.flush()
        os.fsync(part.fileno())
        try:
            os.link(part.name, INBOX / f"{sms}.json")
        except FileExistsError:
            return False
    return True


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length) if length <= LONGEST else b""
        if not is_signed(self.headers, body):
            return self.answer(401, "ERROR")
        if keep(self.headers["webhook-id"], body):
            sms = json.loads(body)
            print("sms", sms["phone"], sms["phoneFrom"], sms["text"], flush=True)
        # Only now: what is acknowledged is not pushed again.
        return self.answer(200, "SUCCESS")

    def answer(self, code, status):
        content = json.dumps({"status": status}).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


INBOX.mkdir(exist_ok=True)
# Behind a web server that speaks HTTPS.
with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver) as server:
    server.serve_forever()
