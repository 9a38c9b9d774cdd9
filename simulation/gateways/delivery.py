"""What gateways send, as API Gateway passes it on."""

import base64
from typing import Any
from urllib.parse import unquote

from simulation.gateways.sample import Sent

HOST = "api.example.com"


def url_of(source_id: str) -> str:
    """Return the URL of a source that its owner has entered."""
    return f"https://{HOST}/live/inbound/{source_id}"


def event_of(sent: Sent, source_id: str) -> dict[str, Any]:
    """Return the event of a request to a source's URL."""
    path = f"/inbound/{source_id}{sent.path}"
    parameters = {"sourceId": source_id}
    if sent.path:
        parameters["secret"] = unquote(sent.path.removeprefix("/"))
    return {
        "httpMethod": sent.method,
        "path": path,
        "pathParameters": parameters,
        "headers": dict(sent.headers),
        "multiValueQueryStringParameters": {name: [value] for name, value in sent.query.items()} or None,
        "body": base64.b64encode(sent.body).decode(),
        "isBase64Encoded": True,
        "requestContext": {"domainName": HOST, "path": f"/live{path}"},
    }
