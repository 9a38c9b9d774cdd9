"""Many buyers at the same moment, and what must hold of what they got: contract 1.2."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

from simulation.shop import Reply, Shop


@dataclass(frozen=True, slots=True)
class Rush:
    """So many calls of GET_NUMBER from so many threads, on so many numbers."""

    calls: int
    threads: int
    numbers: int

    def stock(self, shop: Shop) -> list[str]:
        phones = [str(447_472_000_000 + place) for place in range(self.numbers)]
        with ThreadPoolExecutor(self.threads) as threads:
            list(threads.map(shop.stock, phones))
        return phones

    def buy(self, shop: Shop) -> list[Reply]:
        partner = shop.partner()
        start = Barrier(self.threads)

        def buyer(calls: int) -> list[Reply]:
            start.wait()
            return [shop.buy(partner) for _ in range(calls)]

        shares = [len(range(place, self.calls, self.threads)) for place in range(self.threads)]
        with ThreadPoolExecutor(self.threads) as threads:
            return [reply for replies in threads.map(buyer, shares) for reply in replies]


def wrongs(rush: Rush, phones: Sequence[str], replies: Sequence[Reply], shop: Shop) -> list[str]:
    """Tell what is wrong with the outcome of a rush for more than there is; nothing when it is exact.

    `shop` is for looking at the tables afterwards, and must not fail.
    """
    found: list[str] = []
    sold = {reply.body["number"]: reply.body["activationId"] for reply in replies if reply.body["status"] == "SUCCESS"}
    answers = Counter((reply.status, reply.body["status"]) for reply in replies)
    expected = {(200, "SUCCESS"): rush.numbers, (200, "NO_NUMBERS"): rush.calls - rush.numbers}
    if answers != expected:
        found.append(f"answers {dict(answers)}")
    if len(set(sold.values())) != answers[200, "SUCCESS"]:
        found.append(f"{len(sold)} numbers, {len(set(sold.values()))} ids")
    held = {number.phone: number.activation_id for number in shop.all_numbers()}
    found += [
        f"{phone} is entered for {held.get(phone)}, told was {sold.get(phone)}"
        for phone in phones
        if held.get(phone) != sold.get(phone)
    ]
    for phone, activation_id in sold.items():
        activation = shop.activations.get(activation_id)
        if activation is None or activation.phone != phone:
            found.append(f"{phone} has no activation {activation_id}")
    return found
