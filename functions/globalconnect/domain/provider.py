"""The catalogue of gateway types: how each delivers and proves itself, and what a source of it needs (docs/adr/0036)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class SecretOrigin(StrEnum):
    """Who makes the secret of a source: we do, unless staff give one, or its provider does, and staff have to give it."""

    MADE = "made"
    GIVEN = "given"


class Certainty(StrEnum):
    """How sure what we know of a provider is: read in its own source code, in its documents, or told by others."""

    SOURCE = "source"
    DOCUMENTS = "documents"
    REPORTS = "reports"


class SettingType(StrEnum):
    """What the value of a setting is."""

    TEXT = "text"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """A setting that sources of a type have; `description` goes on from "expected". A text is one of `choices`, where
    there are any, and matches `pattern`.
    """

    name: str
    description: str
    type: SettingType = SettingType.TEXT
    is_required: bool = False
    choices: Sequence[str] = ()
    pattern: str = r"(?s).{1,10000}"

    def takes(self, value: object) -> bool:
        """Return whether something is a value of this setting."""
        if self.type is SettingType.FLAG:
            return isinstance(value, bool)
        is_text = isinstance(value, str) and re.fullmatch(self.pattern, value) is not None
        return is_text and (not self.choices or value in self.choices)


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """A type of gateway, as staff choose it: `methods` are those of HTTP that it delivers by, `authentication` says how a
    delivery proves that it knows the source's secret.

    `address` is what staff enter there, with the source's `{url}` and, where its protocol has no other place for it, the
    `{secret}`. `steps` tell where, `limits` what is known not to work. `line` says what it calls a SIM or device, ""
    where it never does.
    """

    title: str
    methods: tuple[str, ...]
    authentication: str
    certainty: Certainty
    steps: tuple[str, ...]
    secret: SecretOrigin = SecretOrigin.MADE
    settings: tuple[SettingSpec, ...] = ()
    address: str = "{url}"
    line: str = ""
    limits: tuple[str, ...] = ()

    @property
    def has_secret_in_address(self) -> bool:
        """Whether the secret is in the URL that staff enter there."""
        return "{secret}" in self.address


COUNTRY_CODE = SettingSpec(
    "country_code", 'the country code of numbers that it gives without theirs, like "44"', pattern="[1-9][0-9]{0,2}"
)

UTC_OFFSET = SettingSpec(
    "utc_offset",
    'the offset of its clock, like "+03:00"; without it none of its times is used',
    pattern=r"[+-](0[0-9]|1[0-4]):[0-5][0-9]",
)
SILENT_IS_OFFLINE = SettingSpec(
    "silent_is_offline",
    "true when lines of a device that stops reporting are to be offline",
    type=SettingType.FLAG,
)

_KEY_IN_URL = "no signature: the secret is in the URL, its last segment or the field `key`"

# By name, which is also that of its module in globalconnect/inbound/providers, with _ for -.
PROVIDERS: Mapping[str, ProviderSpec] = {
    "generic": ProviderSpec(
        title="Generic (JSON, signed)",
        methods=("POST",),
        authentication="`X-Signature`: hex HMAC-SHA256 of the body, with the secret as key",
        certainty=Certainty.SOURCE,
        steps=(
            "Let your gateway POST `{phone, from, text, id, receivedAt}` to the URL.",
            "Sign the body with the secret.",
        ),
        settings=(COUNTRY_CODE,),
        line="what it sends as `line`",
    ),
    "smsgate": ProviderSpec(
        title="SMS Gateway for Android (sms-gate.app)",
        methods=("POST",),
        authentication="`X-Signature`: hex HMAC-SHA256 of the body and `X-Timestamp`, which is at most 5 minutes off",
        certainty=Certainty.SOURCE,
        steps=(
            "Settings > Webhooks > Signing Key: enter the secret.",
            "Register a webhook for `sms:received` with the URL (cloud dashboard, local API or `POST /webhooks`).",
            "States of lines: webhooks for `system:ping` and `app:started` too, and Settings > Ping > Interval 300 seconds.",
        ),
        settings=(COUNTRY_CODE, SILENT_IS_OFFLINE),
        line="`<deviceId>:<simNumber>`, such as `dv-19:2` (only `dv-19` if it can't tell the SIM); needed where a SIM doesn't "
        "know its own number",
        limits=(
            "Register the webhook either in the app or in the cloud: each has its own `deviceId`, and SMS would come twice.",
            "RCS messages never reach the app: switch RCS off on the telephone.",
            "A telephone whose clock is more than 5 minutes off is refused; its source shows that.",
            "A ping says that the telephone lives, not that its SIM is registered; it is good for 15 minutes.",
        ),
    ),
    "httpsms": ProviderSpec(
        title="httpSMS",
        methods=("POST",),
        authentication="`Authorization: Bearer`, a JWT (HS256) keyed with the signing key, for exactly this URL",
        certainty=Certainty.SOURCE,
        steps=(
            "Settings > Webhooks: add the URL, to the letter, with the event `message.phone.received`.",
            "States of lines: the events `phone.heartbeat.offline` and `phone.heartbeat.online` too.",
            "Enter the secret as its signing key; without one nothing is signed, and all is refused.",
        ),
        settings=(COUNTRY_CODE,),
        limits=(
            "It calls a telephone offline once it has been silent for 64 to 80 minutes, and tells each change only once or twice.",
            "It delivers twice in all: what both times fails to reach us is lost.",
            "A telephone that misses httpSMS's own answer reports an SMS again under a new id: then it comes in twice.",
            "End-to-end encrypted messages can't be read: switch encryption off in the app.",
        ),
    ),
    "textbee": ProviderSpec(
        title="textbee",
        methods=("POST",),
        authentication="`X-Signature`: hex HMAC-SHA256 of the body, with the secret as key",
        certainty=Certainty.SOURCE,
        steps=(
            "Dashboard > Webhooks: create one with the URL and the event `MESSAGE_RECEIVED`.",
            "Enter the secret as its signing secret; it takes at least 20 characters.",
        ),
        line="the `deviceId`; it names neither number nor SIM, so a device has one line",
        limits=(
            "After one refusal (4xx) it never sends that SMS again.",
            "Above 50 failures in 30 days, and half of all, it switches the webhook off.",
            "Of the same words from one sender within 5 seconds textbee itself keeps only the first.",
        ),
    ),
    "jasmin": ProviderSpec(
        title="Jasmin, and by it SMPP",
        methods=("POST", "GET"),
        authentication=_KEY_IN_URL,
        certainty=Certainty.SOURCE,
        steps=(
            "jcli: `httpccm -a`, `url` the URL, `method POST`, `cid` a name; `morouter -a` routes MO messages to it.",
            "SMPP: bind a connector of Jasmin to the carrier (`smppccm`).",
        ),
        settings=(
            COUNTRY_CODE,
            SettingSpec(
                "default_alphabet",
                'what its carrier means by coding 0: "gsm7", "latin1" or "ascii" (gsm7 if not said)',
                choices=("gsm7", "latin1", "ascii"),
            ),
        ),
        address="{url}/{secret}",
        line="the `origin-connector`, for messages without a number in `to`",
        limits=(
            "Of a long SMS whose last part doesn't arrive last, Jasmin itself loses all (issue 1257); so it does without Redis.",
            "It states no times, and tries 3 times, 30 s apart.",
            "By GET the coding of a class (such as 0xF0) may be lost in the URL, and the SMS is not read: prefer POST.",
        ),
    ),
    "kannel": ProviderSpec(
        title="Kannel",
        methods=("GET",),
        authentication=_KEY_IN_URL,
        certainty=Certainty.SOURCE,
        steps=(
            "smsbox.conf, group sms-service: `keyword = default`, `get-url` the URL, `max-messages = 0`, `omit-empty = true`, `catch-all = true`.",
            "Group smsbox: `mo-recode = true`, `http-request-retry = 10` (it never tries again otherwise).",
        ),
        settings=(COUNTRY_CODE,),
        address=("{url}?key={secret}&from=%p&to=%P&text=%b&coding=%c&charset=%C&time=%T&id=%I&smsc=%i&udh=%u"),
        line="the SMSC (`%i`), for messages without a number in `to`",
        limits=(
            "Without `max-messages = 0` Kannel sends refusals on to the sender as an SMS.",
            "Without `mo-recode`, and in headers (`%u`) with `sms-combine-concatenated-mo = false`, octets may be lost in the URL.",
        ),
    ),
    "ejoin": ProviderSpec(
        title="Ejoin, Skyline (modem pools)",
        methods=("POST",),
        authentication=_KEY_IN_URL,
        certainty=Certainty.REPORTS,
        steps=(
            "SMS: the URL as the one that received SMS are forwarded to, as JSON (HTTP API) or by `SMS to HTTP`.",
            "States of lines: `/goip_get_status.html?url=…&period=60&all_sims=1` at the device, with the same URL, percent-encoded.",
            "Enter each device as a source of its own: its ports are called as another's are.",
        ),
        settings=(COUNTRY_CODE, SILENT_IS_OFFLINE),
        address="{url}/{secret}",
        line="the ICCID of the SIM; where that isn't mapped or not told, the port, such as `5.01` or `61A`, as the device writes it",
        limits=(
            "What is known of it is told by digests of its manual and by others' programs: try it out with a test SMS.",
            "Online: registered, in call; for as long as the device says (`expires`), else for 3 minutes.",
            "Offline: no SIM, refused, locked, faulty, no response, or another SIM of the port in use. Others change nothing.",
            "`SMS to HTTP` states no time that can be used; what it delivers twice is told by its `SCTS` alone.",
            "Whether it delivers again what it got no answer to, and whether long SMS come joined, is not known.",
        ),
    ),
    "openvox": ProviderSpec(
        title="OpenVox (GSM gateways)",
        methods=("GET",),
        authentication=_KEY_IN_URL,
        certainty=Certainty.DOCUMENTS,
        steps=(
            "SMS > SMS Settings > SMS to HTTP: the URL.",
            "Name the fields `phonenumber`, `port`, `portname`, `message`, `time` and `imsi`.",
        ),
        settings=(UTC_OFFSET,),
        address="{url}/{secret}",
        line="the `port`, such as `gsm-1.2` or `3`",
        limits=(
            "A long SMS comes in pieces with nothing to join them by: each is an SMS.",
            "Without `time` the same words again are a repeat for 2 minutes, and another SMS later.",
            "Some firmware is said to encode texts twice: they are shown as they come.",
            "It reports no states of lines. Whether it tries again is not known.",
        ),
    ),
    "goip": ProviderSpec(
        title="GoIP SMS server (DBL, Hybertone)",
        methods=("POST",),
        authentication=_KEY_IN_URL,
        certainty=Certainty.REPORTS,
        steps=("SMS server > System Settings > forwarding of received SMS: the URL, POST, JSON.",),
        settings=(UTC_OFFSET,),
        address="{url}/{secret}",
        line="the `goip_line`, such as `goip-10101`",
        limits=(
            "Only the vendor's SMS server: the device itself speaks UDP, and needs a bridge that sends the `generic` form.",
            "What is known of it is told by one project: try it out with a test SMS.",
            "It reports no states of lines. Whether it tries again, and whether long SMS come joined, is not known.",
        ),
    ),
    "twilio": ProviderSpec(
        title="Twilio",
        methods=("POST", "GET"),
        authentication="`X-Twilio-Signature`: base64 HMAC-SHA1 (or SHA-256) of the URL and all fields, with the auth token as key",
        certainty=Certainty.SOURCE,
        steps=(
            'Phone Numbers > the number > Messaging: "A message comes in" > Webhook, the URL, HTTP POST.',
            'Enter it as "Primary handler fails" too. The secret is the auth token, or the key of your webhook rule.',
        ),
        secret=SecretOrigin.GIVEN,
        limits=(
            "It tries once, and once at the fallback URL; what then fails is only in its own log.",
            "By GET the whole query is signed: whether API Gateway keeps its order is not known, so choose POST.",
            "Overrides in the URL's fragment (`#rc=3`) are not known to leave the signature as it is.",
            "Messages of WhatsApp are kept as unreadable.",
        ),
    ),
    "telnyx": ProviderSpec(
        title="Telnyx",
        methods=("POST",),
        authentication="`telnyx-signature-ed25519` over `telnyx-timestamp`, at most 5 minutes off, and the body",
        certainty=Certainty.SOURCE,
        steps=(
            "Messaging > the profile > Inbound: the URL as webhook and as failover URL, API version 2.",
            "The secret is the account's public key (Account > Keys & Credentials > Public Key).",
        ),
        secret=SecretOrigin.GIVEN,
        limits=(
            "It waits for 2 seconds, and tries 3 times at each URL.",
            "Of a message to several the first recipient counts.",
        ),
    ),
    "vonage": ProviderSpec(
        title="Vonage (SMS API)",
        methods=("GET", "POST"),
        authentication="`sig`: a hash or HMAC of all parameters, with the signature secret",
        certainty=Certainty.SOURCE,
        steps=(
            "Settings > API settings > SMS: the URL for inbound messages, any method.",
            "Have support switch on signed webhooks; the secret and the algorithm are those of the same page.",
        ),
        secret=SecretOrigin.GIVEN,
        settings=(
            SettingSpec(
                "algorithm",
                'the signature method of the account: "md5hash" (if not said), "md5", "sha1", "sha256" or "sha512"',
                choices=("md5hash", "md5", "sha1", "sha256", "sha512"),
            ),
        ),
        limits=(
            "Unsigned deliveries are refused.",
            "It waits for an answer for a time that it doesn't tell, and tries for 24 hours.",
            "Binary messages are kept for staff and not read.",
        ),
    ),
    "plivo": ProviderSpec(
        title="Plivo",
        methods=("POST", "GET"),
        authentication="`X-Plivo-Signature-V2` or `-Ma-V2`: base64 HMAC-SHA256 of the URL and a nonce, with the auth token",
        certainty=Certainty.SOURCE,
        steps=(
            "Messaging > Applications: the URL as Message URL, POST; assign the number to the application.",
            "The secret is the auth token of the account, or of the subaccount that owns the number.",
        ),
        secret=SecretOrigin.GIVEN,
        limits=(
            "Its signature covers neither fields nor time: whoever sees one delivery could send others.",
            "It waits for 8 seconds, and tries again after 60, 120 and 240.",
        ),
    ),
    "sinch": ProviderSpec(
        title="Sinch (SMS REST API)",
        methods=("POST",),
        authentication="`x-sinch-webhook-signature`: base64 HMAC-SHA256 of body, nonce and time; or Basic",
        certainty=Certainty.SOURCE,
        steps=(
            "Service plan > Callback URL: the URL.",
            "Have your account manager switch callback signing on; before: `auth` basic, `user:password@` before the host.",
        ),
        secret=SecretOrigin.GIVEN,
        settings=(
            SettingSpec(
                "auth",
                'how it proves itself: "hmac" (if not said) or "basic", with a secret user:password',
                choices=("hmac", "basic"),
            ),
        ),
        limits=(
            "After a refusal (4xx) it never sends that SMS again.",
            "Binary and media messages are acknowledged and not read.",
            "Not documented: whether a retry is signed anew. So its time stamp is not checked; the id tells a repeat.",
            "Not documented: whether long SMS come joined.",
        ),
    ),
    "aws-sms": ProviderSpec(
        title="AWS End User Messaging SMS, by SNS",
        methods=("POST",),
        authentication="the signature of SNS (RSA, version 1 or 2), of exactly this topic",
        certainty=Certainty.DOCUMENTS,
        steps=(
            "Phone number > Two-way SMS: an SNS topic. The secret is the topic's ARN.",
            "Subscribe the URL to the topic (HTTPS, no raw delivery); it confirms itself.",
        ),
        secret=SecretOrigin.GIVEN,
        settings=(
            SettingSpec(
                "certificate",
                "the certificate of SNS (PEM), where it can't be fetched",
                pattern=r"(?s)\s*-----BEGIN CERTIFICATE-----.{1,9000}-----END CERTIFICATE-----\s*",
            ),
        ),
        limits=(
            "Raw message delivery is unsigned and refused.",
            "It tries again 3 times within a minute, and never after a refusal (4xx): give the subscription a dead-letter queue.",
            "SNS replaces its certificate now and then: what it signs then is refused until a certificate entered here is too.",
            "Whether a long SMS comes as one or in parts is not documented.",
        ),
    ),
}
