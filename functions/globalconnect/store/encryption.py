"""Keys and secrets as tables keep them: in clear, or encrypted by KMS where a deployment wants that (docs/adr/0038)."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import batched
from typing import Any, Protocol

from globalconnect.domain.errors import Unavailable
from globalconnect.domain.partner import Secret, in_clear
from globalconnect.store.cache import Cache
from globalconnect.store.dynamo.failures import FAILURES, TRIES, failure_of_call, unavailable

# What Encrypt takes. A source's secret may be longer, and is encrypted in pieces then, each with its length before it.
_LARGEST_PIECE = 4096
_LENGTH_BYTES = 2

type Context = Mapping[str, str]


class KmsClient(Protocol):
    """What is asked of KMS, as boto3 spells it."""

    def encrypt(self, *, KeyId: str, Plaintext: bytes, EncryptionContext: Context) -> Mapping[str, Any]: ...  # noqa: N803

    def decrypt(self, *, KeyId: str, CiphertextBlob: bytes, EncryptionContext: Context) -> Mapping[str, Any]: ...  # noqa: N803


class Encryption:
    """How secrets are written, and reads them in both forms. A context says whose one is: no other's is read with it.

    `client` makes the client of KMS, once the first encrypted secret is met; `key_id` names the deployment's key. What
    was decrypted is remembered for `cache_seconds`; `now` gives the time in ms. With `encrypts` what is written is
    encrypted. May be used by threads at once.
    """

    def __init__(
        self,
        client: Callable[[], KmsClient],
        key_id: str,
        cache_seconds: int,
        now: Callable[[], int],
        *,
        encrypts: bool = False,
    ) -> None:
        self._new_client = client
        self._key_id = key_id
        self._encrypts = encrypts
        self._read: Cache[str] = Cache(cache_seconds, now)
        self._client: KmsClient | None = None
        self._lock = threading.Lock()

    def written(self, secret: Secret, context: Context) -> Secret:
        """Return a secret in the form in which it is written; one that has it already is left alone.

        Raises Busy and Unavailable.
        """
        if isinstance(secret, bytes) is self._encrypts:
            return secret
        return self._encrypted(in_clear(secret), context) if self._encrypts else self.opened(secret, context)

    def opened(self, secret: Secret, context: Context) -> str:
        """Return the text of a secret. Raises Busy, and Unavailable, also for one that was encrypted as another's."""
        if isinstance(secret, str):
            return secret
        return self._read.get((secret, *context.items()), lambda: self._decrypted(secret, context)) or ""

    def _encrypted(self, text: str, context: Context) -> bytes:
        kms, pieces = self._kms(), batched(text.encode(), _LARGEST_PIECE, strict=False)
        with _failing_as_ours():
            answers = [
                kms.encrypt(KeyId=self._key_id, Plaintext=bytes(piece), EncryptionContext=context) for piece in pieces
            ]
        blobs: list[bytes] = [answer["CiphertextBlob"] for answer in answers]
        return b"".join(len(blob).to_bytes(_LENGTH_BYTES) + blob for blob in blobs)

    def _decrypted(self, secret: bytes, context: Context) -> str:
        kms = self._kms()
        with _failing_as_ours():
            # With the key named, nothing is decrypted that was encrypted with another.
            answers = [
                kms.decrypt(KeyId=self._key_id, CiphertextBlob=blob, EncryptionContext=context)
                for blob in _pieces(secret)
            ]
        return b"".join(answer["Plaintext"] for answer in answers).decode()

    def _kms(self) -> KmsClient:
        with self._lock:
            if self._client is None:
                self._client = self._new_client()
            return self._client


@contextmanager
def _failing_as_ours() -> Iterator[None]:
    try:
        yield
    except FAILURES as error:
        # The client has tried again already.
        raise failure_of_call(error, TRIES, TRIES, 0) or unavailable(error) from None


def _pieces(secret: bytes) -> Iterator[bytes]:
    while secret:
        end = _LENGTH_BYTES + int.from_bytes(secret[:_LENGTH_BYTES])
        yield secret[_LENGTH_BYTES:end]
        secret = secret[end:]


def _no_kms() -> KmsClient:
    raise Unavailable("NoKeyForSecrets")


# For who needs no secret: writes in clear, and opens nothing that is encrypted.
NO_ENCRYPTION = Encryption(_no_kms, "", 0, lambda: 0)
