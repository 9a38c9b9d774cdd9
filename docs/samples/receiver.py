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


def body_of(request):
    """Return a body that comes whole or in chunks. Raises ValueError if it is too long or can't be read."""
    body, lines = b"", request.rfile
    if request.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return lines.read(size_of(request.headers.get("Content-Length", "0"), 10))
    while size := size_of(lines.readline(100).decode("latin-1").partition(";")[0].strip(), 16, len(body)):
        body += lines.read(size)
        lines.readline(100)
    while lines.readline(LONGEST).strip():
        pass
    return body


def size_of(text, base, before=0):
    if not re.fullmatch("[0-9a-fA-F]{1,8}", text) or before + int(text, base) > LONGEST:
        raise ValueError("the body's length")
    return int(text, base)


class Receiver(BaseHTTPRequestHandler):
    timeout = 30  # seconds, for each read

    def do_POST(self):
        try:
            body = body_of(self)
        except ValueError:
            body = b""
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
