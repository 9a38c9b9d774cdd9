"""What a class holds that must not be told stays out of its repr: a repr ends up in logs."""

import pytest

from admin_api.route import Upload
from globalconnect.domain.ids import ActivationId, PartnerId, SmsId, SourceId
from globalconnect.domain.inbound import InboundSms, UnclaimedSms, UnreadablePayload
from globalconnect.domain.partner import KeyLink, Partner, SigningSecret
from globalconnect.domain.push_attempt import AttemptOutcome, AttemptResult
from globalconnect.domain.sms import Attempt, Sms
from globalconnect.domain.source import Source
from globalconnect.inbound.providers.port import Delivery, UnreadablePiece
from globalconnect.push.signing import Signer
from globalconnect.runtime.http import Request

TOLD = "hush-hush"


@pytest.mark.parametrize(
    "holder",
    [
        Partner(PartnerId("p1"), "Hub", TOLD, TOLD, None, "default", 0, signing_secrets=(SigningSecret(TOLD),)),
        KeyLink(TOLD, 0),
        Source(
            SourceId("s1"), "Modem", "generic", TOLD, 0, former_secrets=(SigningSecret(TOLD),), settings={"key": TOLD}
        ),
        Signer("sms_1", 0, [TOLD]),
        Sms(SmsId(1), ActivationId(2), PartnerId("p1"), "447700900001", TOLD, TOLD, 0, 0),
        InboundSms("447700900001", TOLD, TOLD, TOLD, former_names=(TOLD,)),
        UnclaimedSms("1", SourceId("s1"), "447700900001", TOLD, TOLD, 0, 0, "nobody's", 0),
        UnreadablePayload("unreadable#s1#0", SourceId("s1"), TOLD.encode(), "no JSON", 0, query=TOLD),
        Attempt(1, 0, 10, "refused_answer", 200, TOLD),
        AttemptResult(delivered=False, outcome=AttemptOutcome.TLS, http_status=None, duration_ms=1, answer=TOLD),
        Delivery(Request({"body": TOLD}), TOLD.encode()),
        UnreadablePiece(TOLD.encode(), "no text"),
        Upload(TOLD.encode(), "text/csv"),
    ],
    ids=lambda holder: type(holder).__name__,
)
def test_no_repr_tells_a_key_a_secret_or_what_was_sent(holder: object) -> None:
    assert TOLD not in repr(holder)
