"""What is assumed because it can't be measured without AWS, and the profile of usage; docs/costs.md states all of it."""

from dataclasses import dataclass

# What a call takes from inside a function, botocore's part included (s).
CALL_SECONDS = 0.008
TRANSACTION_SECONDS = 0.02

# At this much memory a function has one processor; with less it has so much less of one.
MEMORY_OF_ONE_PROCESSOR_GB = 1769 / 1024


def slower(memory_gb: float) -> float:
    """Return how many times as long as a whole processor a function with that memory takes."""
    return max(1.0, MEMORY_OF_ONE_PROCESSOR_GB / memory_gb)


# START, END and REPORT of each invocation, 26 bytes around each as CloudWatch counts them.
INVOCATION_LOG_BYTES = 345
# Headers of an answer of the API, beside its body.
ANSWER_HEADERS_BYTES = 500

# Goes out for an attempt: TCP up to a refusal, or TCP and TLS, and the request with its headers.
SYN_BYTES = 60
HANDSHAKE_BYTES = 1_000
PUSH_BYTES = 550
# The processor's part in a TLS handshake (ms, one whole processor).
HANDSHAKE_MS = 2.0

# How long a partner takes to take a push, and a server to refuse a connection (s).
PARTNER_SECONDS = 0.2
REFUSAL_SECONDS = 0.02

# How Lambda reads a queue: pollers at first, how many more per second while messages wait, how late messages come (s).
POLLERS = 5
POLLERS_PER_SECOND = 5
PICK_UP_SECONDS = 0.3
# A poller with nothing to read asks again after this (s).
LONG_POLL_SECONDS = 20

# Metrics of ours that are reported whatever happens: those of each minute, and that of each night, which is charged for its
# hour. And those that come with pushes.
STEADY_METRICS = 2 + 1 / 24
PUSH_METRICS = 3
# The share of hours in which some SMS of a partner waits for 45 s or longer.
WAITING_HOURS = 0.1

# Statistics count the hours of the last ActivationMinutes and one more every minute, and those of a day every hour.
ENTRY_READS = 3 * 60 + 23
# And activations once more, to see which outcomes are of one that began before.
BEGUN_READS = 3
# What an index holds of an activation, an outcome or an SMS.
ENTRY_BYTES = 92

# Lines of a device whose reports are looked at, and how many of the largest are numbers of ours on moto, where mapping all
# would take a minute.
DEVICE_LINES = (32, 256, 1_000)
MAPPED_LINES = 100
# SIMs are bought in lots, of which each is numbered in a row.
LOT = 100

# How long a function remembers partners and the catalogue (s).
CACHED_SECONDS = 30

MONTH_SECONDS = 30 * 24 * 3600
MONTH_MINUTES = MONTH_SECONDS // 60

SERVICES = [f"s{place:02}" for place in range(20)]
SMS_TEXT = "G-482913 is your verification code. Не сообщайте его никому. Valid for 10 minutes."  # noqa: RUF001 - Cyrillic is two bytes a letter


@dataclass(frozen=True, slots=True)
class Profile:
    """How the product is used in a month: sales, partners that ask what is for sale every `services_every` s, stock.

    Of the sales, `succeeds` get their SMS after `sms_after` s, `canceled` are closed without one after `gives_up` s, and
    the rest run out. Until then each is polled every `sms_every` s.
    """

    sales: int = 1_000_000
    partners: int = 10
    numbers: int = 100_000
    services_every: int = 10
    sms_every: int = 5
    succeeds: float = 0.70
    canceled: float = 0.25
    sms_after: int = 30
    gives_up: int = 120

    @property
    def sold(self) -> float:
        """Sales that get their SMS."""
        return self.sales * self.succeeds

    @property
    def runs_out(self) -> float:
        """The share of sales that nobody closes."""
        return 1 - self.succeeds - self.canceled

    @property
    def polls(self) -> float:
        """Requests for messages that are not there yet."""
        without = (self.sales - self.sold) * self.gives_up / self.sms_every
        return self.sold * (self.sms_after // self.sms_every) + without


USUAL = Profile()
# Nobody calls.
IDLE = Profile(sales=0, partners=0, numbers=10_000)

# The stock's pools (country and operator) by its numbers.
POOLS = {1_000: 5, 10_000: 20, 100_000: 100, 1_000_000: 400}
PARTNERS = (1, 10, 100, 1_000)
