"""The staff console: one page and the files it loads, as `make console` built them (docs/adr/0027)."""

import html
import json

from console.wiring import ASK_EACH_TIME, GUARDED, TYPES, Parts, parts
from globalconnect.domain.errors import NotFound, existing
from globalconnect.runtime.http import Request, Response, endpoint

RESOURCE = "/console"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' {cognito}; "
    "base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)


def answer(request: Request, parts: Parts) -> Response:
    """Return the page, or the file that is named exactly. Raises NotFound."""
    if parts.page is None:
        raise NotFound("The built console (`make console` builds it)")
    name = request.path_parameters.get("file")
    if not name:
        return _page(parts.page, request, parts)
    # Only what was read at the start can be had, by its name: no path is ever made of what was asked for.
    return existing(parts.files.get(name), "file")


def _page(page: str, request: Request, parts: Parts) -> Response:
    api = request.public_url(RESOURCE)
    cognito = request.stage_variable("cognitoUrl") or parts.cognito_url
    configuration = {
        "api": api,
        "userPoolClientId": parts.user_pool_client_id,
        "cognito": cognito,
        "tryIt": parts.try_it,
    }
    # A base of its own, so that its files are found from /console as from /console/.
    filled = page.replace("{{base}}", html.escape(f"{api}{RESOURCE}/")).replace(
        "{{configuration}}", html.escape(json.dumps(configuration))
    )
    headers = {
        "Content-Type": TYPES[".html"],
        "Cache-Control": ASK_EACH_TIME,
        "Content-Security-Policy": _POLICY.format(cognito=cognito.rstrip("/")),
        **GUARDED,
    }
    return Response(200, filled, headers, gzipped=b"")


handler = endpoint(lambda request: answer(request, parts()))
