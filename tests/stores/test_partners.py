"""The store of partners."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from globalconnect.domain.errors import Conflict, InvalidKey, NotFound
from globalconnect.domain.ids import PartnerId
from globalconnect.domain.offer import Offer, Turn
from globalconnect.domain.partner import MOST_SIGNING_SECRETS, Partner, Pause, in_clear
from globalconnect.store.dynamo import ConditionFailed
from globalconnect.store.partners import Partners
from simulation.aws import START, Cloud
from tests.stores.pages import every

HUB_ID = PartnerId("hub")
NOBODY = PartnerId("nobody")
NONE = PartnerId("none")
PLAIN_ID = PartnerId("plain")

HUB = Partner(HUB_ID, "Hub", "gc_hub_first", "https://hub.example/push", frozenset({"tg", "go"}), "default", START)
PLAIN = Partner(PLAIN_ID, "Plain", "gc_plain_first", None, None, "default", START, max_live=3)


@pytest.fixture
def partners(tables: Cloud) -> Partners:
    stored = Partners(tables.db, tables.env["PARTNERS_TABLE"], 0, tables.clock)
    for partner in (HUB, PLAIN):
        stored.add(partner)
    return stored


def _sold_to(partner: Partner) -> Partner:
    """Return what is known of a partner to who sells to it."""
    return replace(partner, key="", push_url=None, signing_secrets=())


def test_partners_are_read_as_they_were_added(partners: Partners) -> None:
    assert [partners.get(partner.partner_id) for partner in (HUB, PLAIN)] == [HUB, PLAIN]
    assert partners.many({HUB_ID, PLAIN_ID, NOBODY}) == {"hub": HUB, "plain": PLAIN}
    assert partners.many(()) == {}
    assert partners.without_secrets({HUB_ID, NOBODY}) == {"hub": replace(HUB, key="")}
    with pytest.raises(NotFound):
        partners.get(NOBODY)


def test_an_id_is_given_once(partners: Partners) -> None:
    with pytest.raises(ConditionFailed):
        partners.add(replace(PLAIN, partner_id=HUB_ID))
    assert partners.get(HUB_ID) == HUB


def test_a_partner_that_may_buy_no_service_is_not_one_that_may_buy_all(partners: Partners) -> None:
    partners.add(replace(PLAIN, partner_id=NONE, services=frozenset()))
    assert partners.get(NONE).services == frozenset()
    assert partners.change(NONE, {"services": None}).services is None
    assert partners.change(NONE, {"services": frozenset()}).services == frozenset()


@pytest.mark.parametrize("partner", [HUB, PLAIN])
def test_a_key_is_its_partners(partners: Partners, partner: Partner) -> None:
    assert partners.authenticate(in_clear(partner.key)) == _sold_to(partner)
    for wrong in (f"{in_clear(partner.key)}x", f"gc_{partner.partner_id}_other", "gc_nobody_first", "nonsense"):
        with pytest.raises(InvalidKey):
            partners.authenticate(wrong)


def test_a_rotated_key_works_and_the_one_before_does_not(partners: Partners) -> None:
    assert partners.rotate_key(HUB_ID, "gc_hub_second") == replace(HUB, key="gc_hub_second", version=1)
    assert partners.authenticate("gc_hub_second") == _sold_to(replace(HUB, version=1))
    with pytest.raises(InvalidKey):
        partners.authenticate(in_clear(HUB.key))


def test_what_is_given_changes_and_the_rest_stays(partners: Partners) -> None:
    changed = partners.change(HUB_ID, {"name": "New", "push_url": None, "services": frozenset({"wa"}), "max_live": 7})
    expected = replace(HUB, name="New", push_url=None, services=frozenset({"wa"}), max_live=7, version=1)
    assert changed == partners.get(HUB_ID) == expected
    assert partners.get(PLAIN_ID) == PLAIN


def test_a_change_of_another_version_is_refused(partners: Partners) -> None:
    assert partners.change(HUB_ID, {"name": "First"}, 0).version == 1
    with pytest.raises(Conflict):
        partners.change(HUB_ID, {"name": "Second"}, 0)
    assert partners.change(HUB_ID, {"name": "Second"}, 1).name == "Second"


def test_signing_secrets_are_kept_newest_first_and_not_too_many(partners: Partners) -> None:
    for number in range(MOST_SIGNING_SECRETS + 2):
        partners.rotate_signing_secret(HUB_ID, f"whsec_{number}", START + number)
    secrets = [known.secret for known in partners.get(HUB_ID).signing_secrets]
    assert secrets == [f"whsec_{number}" for number in range(MOST_SIGNING_SECRETS + 1, 1, -1)]
    for _ in range(2):
        assert not partners.remove_signing_secrets(HUB_ID).is_signed
    assert partners.rotate_signing_secret(HUB_ID, "whsec_new", START).is_signed


def test_of_two_signing_secrets_made_at_the_same_moment_one_is_refused_and_none_is_lost(
    tables: Cloud, partners: Partners
) -> None:
    class Overtaken(Partners):
        """Somebody else is always a little faster."""

        def get(self, partner_id: str) -> Partner:
            before = super().get(PartnerId(partner_id))
            partners.rotate_signing_secret(PartnerId(partner_id), "whsec_faster", START)
            return before

    overtaken = Overtaken(tables.db, tables.env["PARTNERS_TABLE"], 0, tables.clock)
    for others in (["whsec_faster"], ["whsec_faster", "whsec_faster"]):
        with pytest.raises(Conflict):
            overtaken.rotate_signing_secret(HUB_ID, "whsec_slower", START)
        assert [known.secret for known in partners.get(HUB_ID).signing_secrets] == others


def test_a_pause_keeps_its_beginning_and_ends_once(partners: Partners) -> None:
    assert partners.pause(HUB_ID, "Unpaid", START).paused == Pause(START, "Unpaid")
    assert partners.pause(HUB_ID, "Rude", START + 1).paused == Pause(START, "Rude")
    assert partners.authenticate(in_clear(HUB.key)).paused == Pause(START, "Rude")
    assert [partners.resume(HUB_ID).paused, partners.resume(HUB_ID).paused] == [None, None]
    assert partners.get(HUB_ID) == replace(HUB, version=3)


OFFERED = [replace(PLAIN, partner_id=PartnerId(f"offered{place}"), offer=Offer(20, place + 1)) for place in range(3)]


def test_offers_are_kept_replaced_and_removed_with_their_turn(partners: Partners) -> None:
    partners.add(replace(PLAIN, partner_id=NONE, offer=Offer(20)))
    assert partners.arrange_turns() == 20
    kept = partners.get(NONE)
    assert (kept.offer, kept.turn) == (Offer(20), Turn(0, 1))
    assert partners.change(NONE, {"offer": Offer(most=5)}).offer == Offer(most=5)
    gone = partners.change(NONE, {"offer": None})
    assert (gone.offer, gone.turn) == (None, None)


def test_of_those_who_arrange_turns_at_once_whoever_is_last_arranges_them_right(
    tables: Cloud, partners: Partners
) -> None:
    class Overtaken(Partners):
        """Somebody else gives a partner an offer between what is read and what is written."""

        waiting = OFFERED[2:]

        def every(self) -> Iterator[Partner]:
            found = list(super().every())
            if self.waiting:
                partners.add(self.waiting.pop())
                partners.arrange_turns()
            return iter(found)

    partners.add(OFFERED[0])
    assert partners.arrange_turns() == 20
    partners.add(OFFERED[1])
    assert Overtaken(tables.db, tables.env["PARTNERS_TABLE"], 0, tables.clock).arrange_turns() == 60
    kept = [partners.get(partner.partner_id) for partner in OFFERED]
    assert kept == [replace(partner, turn=Turn(place, 3)) for place, partner in enumerate(OFFERED)]
    assert partners.get(HUB_ID) == HUB


def test_who_has_no_offer_any_more_is_given_no_turn(tables: Cloud, partners: Partners) -> None:
    class Overtaken(Partners):
        """The offer is removed between what is read and what is written."""

        def every(self) -> Iterator[Partner]:
            found = list(super().every())
            if partners.get(OFFERED[0].partner_id).offer is not None:
                partners.change(OFFERED[0].partner_id, {"offer": None})
            return iter(found)

    partners.add(OFFERED[0])
    assert Overtaken(tables.db, tables.env["PARTNERS_TABLE"], 0, tables.clock).arrange_turns() == 0
    assert partners.get(OFFERED[0].partner_id).turn is None


def test_what_is_revoked_is_revoked_for_good(partners: Partners) -> None:
    assert [partners.revoke(HUB_ID, START + at).revoked_at for at in (1, 2)] == [START + 1] * 2
    with pytest.raises(InvalidKey):
        partners.authenticate(in_clear(HUB.key))


@pytest.mark.parametrize(
    "change",
    [
        lambda partners: partners.change("hub", {"name": "New"}),
        lambda partners: partners.rotate_key("hub", "gc_hub_second"),
        lambda partners: partners.rotate_signing_secret("hub", "whsec_new", START),
        lambda partners: partners.remove_signing_secrets("hub"),
        lambda partners: partners.pause("hub", "Unpaid", START),
    ],
)
def test_a_revoked_partner_is_not_changed(partners: Partners, change: Callable[[Partners], object]) -> None:
    revoked = partners.revoke(HUB_ID, START)
    with pytest.raises(Conflict):
        change(partners)
    assert partners.get(HUB_ID) == revoked


def test_nobody_is_changed(partners: Partners) -> None:
    for change in (partners.remove_signing_secrets, partners.resume, lambda nobody: partners.revoke(nobody, START)):
        with pytest.raises(NotFound):
            change(NOBODY)


def test_the_latest_note_of_health_stands_and_raises_no_version(partners: Partners) -> None:
    for at in (START, START + 2, START + 1):
        partners.note_slow(HUB_ID, at)
        partners.note_success(HUB_ID, at)
    assert partners.get(HUB_ID) == replace(HUB, slow_until=START + 2, last_success_at=START + 2)
    partners.note_success(NOBODY, START)
    assert partners.many({NOBODY}) == {}


def test_all_partners_are_listed_page_by_page(partners: Partners) -> None:
    found = every(lambda after: partners.page(1, after))
    assert sorted(found, key=lambda partner: partner.partner_id) == [HUB, PLAIN]
