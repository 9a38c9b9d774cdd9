"""How deliveries are signed. Comparing takes as long for a wrong signature as for a right one."""

import hashlib
import hmac


def is_hex_hmac(signature: str, secret: str, content: bytes) -> bool:
    """Return whether a text is the HMAC-SHA256 of some content as hexadecimal digits."""
    expected = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature.strip().lower().encode(), expected.encode())
