"""What has arrived for an activation (contract 2)."""

from getsms.wiring import Parts
from globalconnect.domain.activation import State
from globalconnect.domain.errors import NotFound
from globalconnect.domain.partner import Partner
from globalconnect.domain.sms import Sms
from globalconnect.hub_protocol.requests import POLLED_ID


def poll(activation_id: int, partner: Partner, parts: Parts) -> tuple[tuple[Sms, ...], State]:
    """Return an activation's messages, oldest first, and what it is now.

    Raises NotFound when the activation does not exist or is another partner's.
    """
    sale = parts.activations.sale(activation_id, partner.partner_id)
    if sale is None:
        raise NotFound(POLLED_ID)
    return sale.sms, sale.activation.state(parts.now())
