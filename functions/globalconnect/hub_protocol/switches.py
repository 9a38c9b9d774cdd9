"""What a dialect has of its own, by the names that staff and partners know it by (contract 1.9 and 5)."""

from collections.abc import Mapping

from globalconnect.hub_protocol import dialect as named
from globalconnect.hub_protocol.dialect import Dialect


def switches_of(dialect: Dialect) -> dict[str, object]:
    """Return the switches of a dialect with their values, as JSON has them."""
    fields = {"number": dialect.number, "phone": dialect.phone, "smsId": dialect.sms_id}
    return {
        "types": {field: _name(named.SPELLINGS, spelling) for field, spelling in fields.items()},
        "numberExtras": dict(dialect.number_extras),
        "pushExtras": dict(dialect.push_extras),
        "errorFields": list(dialect.error_fields),
        "errorHttp": _name(named.ERROR_STATUSES, dialect.error_status),
        "gzipFrom": dialect.gzip_from,
        "counts": {word: _name(named.COUNTS_FORMS, form) for word, form in dialect.counts.items()},
        "any": _name(named.OPERATORS, dialect.operators),
        "cancelLimit": dialect.cancel_limit,
        "hold": dialect.hold.value,
        "outcomes": {str(code): outcome.value for code, outcome in dialect.outcomes.items()},
        "pushDone": _name(named.ACCEPTANCES, dialect.push_done),
        "pushStopWords": sorted(dialect.push_stop_words),
        "pushAuthorization": _name(named.AUTHORIZATIONS, dialect.push_authorization),
        "pushAcceptGzip": dialect.push_accept_encoding == "gzip",
        "pushGzip": dialect.push_gzip,
    }


def _name[K](names: Mapping[K, object], value: object) -> K:
    """Return what a value of a switch is called."""
    return next(name for name, known in names.items() if known == value)
