"""How the partners of a dialect are answered over HTTP."""

from functools import partial

from globalconnect.hub_protocol.answers import error_body
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.runtime.http import Manner


def manner_of(dialect: Dialect) -> Manner:
    return Manner(partial(error_body, dialect=dialect), dialect.error_status, dialect.gzip_from)
