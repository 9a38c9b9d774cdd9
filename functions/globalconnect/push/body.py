"""What a push says (contract 3)."""

from globalconnect.domain.partner import Partner
from globalconnect.domain.sms import Sms


def push_body(sms: Sms, partner: Partner) -> dict[str, object]:
    return {
        "key": partner.key,
        "action": "PUSH_SMS",
        "smsId": str(sms.sms_id),
        "phone": sms.phone,
        "phoneFrom": sms.phone_from,
        "text": sms.text,
        "call": 0,
        "voice": 0,
    }
