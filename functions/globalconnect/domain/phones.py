"""What a phone number is, and the beginning of one, however people, files and gateways write them."""

import re

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.numerals import whole_number

_MOST_DIGITS = 15
_LARGEST = 10**_MOST_DIGITS - 1
_PHONE = re.compile(r"[1-9][0-9]{4,14}", re.ASCII)
_LOCAL = re.compile(r"0[1-9][0-9]{3,13}", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
# Between digits: white space, dashes and brackets; anywhere: marks that nobody sees, which copying leaves behind.
_FILLING = re.compile(r"[\s()\[\]\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d]+")
# Digits with what people write between them: a number, though not with its country code, or not only.
_DIALLED = re.compile(r"(?=(?:[^0-9]*[0-9]){3})(?:[tT][eE][lL]:)?[0-9\s()\[\]+./\-\u2010-\u2015\u2212]{1,40}", re.ASCII)
_TRUNK = re.compile(r"[(\[]\s*0\s*[)\]]")
# Where long-distance numbers begin with an 8 and not with a 0 (ITU-T E.164, national prefixes).
_TRUNK_8 = frozenset({"7", "375", "993"})
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]+")


def check_phone(value: object, name: str) -> str:
    """Return a phone number as we keep it: 5 to 15 digits, country code first.

    Takes it with its + or 00, spaces, dashes and brackets, a `tel:` and unseen marks, or as a whole number of JSON.
    Raises InvalidInput.
    """
    if isinstance(value, str):
        phone = _bare(value)
    else:
        phone = None if (number := whole_number(value, _LARGEST)) is None else str(number)
    if phone is not None and _PHONE.fullmatch(phone):
        return phone
    if phone is not None and _LOCAL.fullmatch(phone):
        raise InvalidInput(name, "needs its country code")
    raise InvalidInput(name, "expected 5 to 15 digits, country code first")


def _bare(text: str) -> str | None:
    """Return the digits of a number without what stands before and between them; None when they have two readings."""
    bare = _UNSEEN.sub("", text).strip()
    if bare[:4].lower() == "tel:":
        bare = bare[4:].lstrip()
    # What is dialled within a country only, as in +44 (0)20: in some countries that 0 belongs to the number.
    if _TRUNK.search(bare):
        return None
    digits = _FILLING.sub("", bare)
    for sign in ("+", "00"):
        if digits.startswith(sign):
            digits = digits.removeprefix(sign)
            # No country code begins with a 0.
            return None if digits.startswith("0") else digits
    return digits


def phone_as_delivered(value: object, name: str) -> str:
    """Return the destination of an SMS: a phone number as we keep it, else digits as they were delivered, which are no
    number of ours. Raises InvalidInput.
    """
    try:
        return check_phone(value, name)
    except InvalidInput:
        delivered = _UNSEEN.sub("", value).strip() if isinstance(value, str) else ""
        if _DIALLED.fullmatch(delivered):
            return delivered
        raise


def readings_of(value: object, country_code: str | None) -> tuple[str, ...]:
    """Return the numbers with their country code that a destination may mean, as it is written first (contract 4).

    Takes the country code of numbers that are written without theirs, None when none are. It is for the caller to see
    which of them is one of ours.
    """
    try:
        as_written = [check_phone(value, "phone")]
    except InvalidInput:
        as_written = []
    text = _UNSEEN.sub("", value).strip() if isinstance(value, str) else ""
    digits = _FILLING.sub("", text)
    if country_code is None or not _DIGITS.fullmatch(digits) or digits.startswith("00"):
        return tuple(as_written)
    trunk = "8" if country_code in _TRUNK_8 else "0"
    national = [digits, digits[1:]] if digits.startswith(trunk) else [digits]
    within = [f"{country_code}{one}" for one in national if _PHONE.fullmatch(f"{country_code}{one}")]
    return tuple(dict.fromkeys([*as_written, *within]))


def phone_to_find(text: str) -> str:
    """Return a phone as we keep it, if it is one, else as it stands: then we have none like it."""
    try:
        return check_phone(text, "phone")
    except InvalidInput:
        return text.strip().removeprefix("+")


def prefix_of(value: object) -> str | None:
    """Return a phone number or the beginning of one as digits, None when it is none.

    Takes a text, with white space around it and a leading + or not, or any spelling of a whole number.
    """
    text = value.strip().removeprefix("+") if isinstance(value, str) else value
    if isinstance(text, str) and _DIGITS.fullmatch(text):
        return text if len(text) <= _MOST_DIGITS else None
    number = whole_number(text, _LARGEST)
    return None if number is None else str(number)
