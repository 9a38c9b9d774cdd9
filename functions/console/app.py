"""The staff console: one page and the files it loads, as `make console` built them (docs/adr/0027)."""

from console.wiring import Parts, parts
from globalconnect.runtime.http import Request, Response, endpoint

RESOURCE = "/console"


def answer(request: Request, parts: Parts) -> Response:
    """Return the page, or the file that is named exactly. Raises NotFound."""
    return parts.built.file(request.path_parameters.get("file"), "console") or _page(request, parts)


def _page(request: Request, parts: Parts) -> Response:
    api = request.public_url(RESOURCE)
    cognito = request.stage_variable("cognitoUrl") or parts.cognito_url
    configuration = {
        "api": api,
        "userPoolClientId": parts.user_pool_client_id,
        "cognito": cognito,
        "tryIt": parts.try_it,
    }
    return parts.built.filled(f"{api}{RESOURCE}/", configuration, also_called=cognito.rstrip("/"))


handler = endpoint(lambda request: answer(request, parts()))
