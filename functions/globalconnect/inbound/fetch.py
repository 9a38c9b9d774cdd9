"""Fetch a document from a host that a provider has vouched for."""

from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from globalconnect.domain.errors import Unavailable

_TIMEOUT = 2
_LARGEST = 64 * 1024
_OK = 200


def fetch(url: str) -> bytes:
    """Return what is at an https URL. Raises Unavailable for anything but a 200 with at most 64 KiB, each of whose steps
    takes at most 2 s.

    Redirects are not followed.
    """
    where = urlsplit(url)
    connection = HTTPSConnection(where.hostname or "", where.port, timeout=_TIMEOUT)
    try:
        connection.request("GET", f"{where.path or '/'}{f'?{where.query}' if where.query else ''}")
        response = connection.getresponse()
        content = response.read(_LARGEST + 1)
    except (OSError, HTTPException) as error:
        raise Unavailable(type(error).__name__) from None
    finally:
        connection.close()
    if response.status != _OK:
        raise Unavailable(f"HTTP {response.status}")
    if len(content) > _LARGEST:
        raise Unavailable("TooLarge")
    return content
