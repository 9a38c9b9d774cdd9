"""One push of a made-up SMS, to see whether a partner's server is ready before anything is sold to it."""

import asyncio
from typing import TYPE_CHECKING

from admin_api.wiring import Parts
from globalconnect import VERSION
from globalconnect.domain.ids import ActivationId, new_test_sms_id
from globalconnect.domain.partner import Partner, PushSecrets
from globalconnect.domain.sms import Sms
from globalconnect.hub_protocol.catalogue import dialect_of
from globalconnect.hub_protocol.push import push_body
from globalconnect.push.signing import Signer

if TYPE_CHECKING:
    from globalconnect.domain.push_attempt import AttemptResult

# Ofcom, the British regulator, keeps 07700 900000 to 900999 for drama: nobody has this number.
PHONE = "447700900000"
PHONE_FROM = "GlobalConnect"
TEXT = "This is a test push by GlobalConnect: nothing was sold, and nobody sent this SMS."


def push_once(parts: Parts, partner: Partner, url: str) -> "AttemptResult":
    """Make one attempt as the delivery routine makes them, signed if the partner's pushes are; keep nothing of it.

    Raises Busy and Unavailable when its key can't be decrypted.
    """
    return asyncio.run(_attempt(parts, partner, url, parts.partners.secrets(partner, parts.now())))


async def _attempt(parts: Parts, partner: Partner, url: str, secrets: PushSecrets) -> "AttemptResult":
    # Imported here because aiohttp would make the cold start of every other admin route longer.
    from globalconnect.push.attempt import PushClient  # noqa: PLC0415

    sms = _made_up_sms(parts, partner)
    signer = Signer.of(secrets.signing, sms.sms_id, parts.now())
    dialect = dialect_of(partner)
    async with PushClient(version=VERSION, loopback=parts.push_loopback) as client:
        # What the SMS says is no secret; an answer that repeats it is worth seeing.
        return await client.attempt(url, push_body(sms, secrets.key, dialect), [secrets.key], signer, dialect)


def _made_up_sms(parts: Parts, partner: Partner) -> Sms:
    now = parts.now()
    return Sms(
        sms_id=new_test_sms_id(parts.rng),
        activation_id=ActivationId(0),
        partner_id=partner.partner_id,
        phone=PHONE,
        phone_from=PHONE_FROM,
        text=TEXT,
        received_at=now,
        stored_at=now,
    )
