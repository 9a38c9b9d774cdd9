"""How deliveries are signed. Comparing takes as long for a wrong signature as for a right one."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote, quote_plus, unquote, urlsplit

from globalconnect.domain.source import SourceSettings
from globalconnect.domain.times import MINUTE
from globalconnect.inbound.providers.port import ClockOff, Delivery
from globalconnect.runtime.http import Request

# Where senders that sign nothing put the secret: `/inbound/{sourceId}/{secret}`, or this field of the query.
PATH_PARAMETER = "secret"
QUERY_FIELD = "key"

_CLOCK_ERROR = 5 * MINUTE
_DEFAULT_PORTS = {"https": 443, "http": 80}


def is_hex_hmac(signature: str, secret: str, content: bytes, algorithm: str = "sha256") -> bool:
    """Return whether a text is the HMAC of some content as hexadecimal digits, in upper or lower case."""
    return is_same(signature.strip().lower(), hmac.new(secret.encode(), content, algorithm).hexdigest())


def is_base64_hmac(signature: str, secret: str, content: bytes, algorithm: str = "sha256") -> bool:
    """Return whether a text is the HMAC of some content in base64."""
    expected = base64.b64encode(hmac.new(secret.encode(), content, algorithm).digest()).decode()
    return is_same(signature.strip(), expected)


def is_same(given: str, expected: str) -> bool:
    """Return whether two texts are the same, in a time that tells nothing about where they differ."""
    # Digests: also their lengths stay unknown.
    return hmac.compare_digest(_digest(given), _digest(expected))


def check_clock(signed_at: int, now: int) -> None:
    """Raise ClockOff when the time that is signed in a delivery is more than 5 minutes from `now` (ms)."""
    if abs(now - signed_at) > _CLOCK_ERROR:
        raise ClockOff


def knows_secret(request: Request, secret: str) -> bool:
    """Return whether a request that is not signed says the secret: in its path, or in the field `key` of its query."""
    in_path = request.path_parameters.get(PATH_PARAMETER, "")
    # API Gateway may hand it on as it was written.
    said = [in_path, unquote(in_path), *request.query.get(QUERY_FIELD, ())]
    return any([is_same(one, secret) for one in said])  # noqa: C419 - all are compared


class KeyInUrl:
    """What providers have in common whose senders sign nothing: the secret is in their URL."""

    def is_authentic(self, delivery: Delivery, secret: str, _settings: SourceSettings, _now: int) -> bool:
        return knows_secret(delivery.request, secret)


def urls_of(request: Request, query: Mapping[str, Sequence[str]] | None = None) -> Iterator[str]:
    """Return how the sender may have written the URL that it signed: with the port and without it, the query as RFC 3986
    has it and as forms do. The query is that of the request unless told otherwise; its fields stay in their order.
    """
    url = urlsplit(request.url)
    host = url.hostname or ""
    stated = f":{url.port or _DEFAULT_PORTS[url.scheme]}"
    fields = [(name, value) for name, values in (request.query if query is None else query).items() for value in values]
    queries = dict.fromkeys(_queries(fields))
    for port in (stated, ""):
        for spelled in queries:
            yield f"{url.scheme}://{host}{port}{url.path}{spelled}"


def _queries(fields: Sequence[tuple[str, str]]) -> Iterable[str]:
    if not fields:
        return [""]
    return [
        f"?{'&'.join(f'{spelled(name)}={spelled(value)}' for name, value in fields)}"
        for spelled in (_as_in_rfc_3986, _with_plus, _as_in_forms)
    ]


def _as_in_rfc_3986(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def _with_plus(text: str) -> str:
    return quote_plus(text, errors="surrogatepass")


def _as_in_forms(text: str) -> str:
    # As browsers and Java's URLEncoder write application/x-www-form-urlencoded.
    return quote_plus(text, safe="*", errors="surrogatepass").replace("~", "%7E")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
