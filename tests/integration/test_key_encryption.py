"""Keys and secrets that KMS has encrypted: docs/adr/0038."""

import json
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from deployment.failure import DeploymentError
from deployment.keys import Keys
from deployment.removal import Data
from deployment.stacks import Resource, Stack
from globalconnect.domain.errors import Unavailable
from globalconnect.domain.ids import ActivationId, SourceId
from globalconnect.domain.partner import in_clear
from globalconnect.domain.sms import DuePush, PushState, SmsRef
from globalconnect.domain.source import Source
from globalconnect.runtime.aws import kms_client
from globalconnect.store.partners import Partners
from globalconnect.store.sources import Sources
from simulation.aws import Cloud
from simulation.clouds import Moto
from simulation.desk import Desk
from simulation.failing import FailingClient, Fault
from simulation.office import PHONE, URL, Office
from simulation.shop import SECRET, Shop, present

PHONES = ["447472190091", "447472190092", "447472190093"]
TROUBLE = [Fault.THROTTLED, Fault.UNHEARD, Fault.BROKEN]


@dataclass(slots=True)
class Asked:
    """What KMS was asked, by operation; how it fails."""

    operations: list[str] = field(default_factory=list)
    fault: Fault | None = None

    def __call__(self, operation: str) -> Fault | None:
        self.operations.append(operation)
        return self.fault


@pytest.fixture
def kms() -> Asked:
    return Asked()


@pytest.fixture
def encrypted(moto: Moto, secrets_key: str, kms: Asked) -> Cloud:
    """Return an empty cloud whose admin API encrypts."""
    cloud = moto.cloud(KEY_ENCRYPTION="on", SECRETS_KEY=secrets_key, CACHE_SECONDS="0")
    return replace(cloud, kms=lambda: FailingClient(kms_client(), kms))


def _shop(cloud: Cloud, cache_seconds: int = 0) -> Shop:
    shop = Shop(cloud, {"CACHE_SECONDS": str(cache_seconds)})
    shop.sell("tg", "go")
    return shop


@pytest.fixture
def shop(encrypted: Cloud) -> Shop:
    return _shop(encrypted)


@pytest.fixture
def desk(encrypted: Cloud) -> Desk:
    return Desk(encrypted)


@pytest.fixture
def office(shop: Shop) -> Iterator[Office]:
    with Office(shop) as office:
        yield office


def _items(cloud: Cloud, table: str) -> list[dict[str, Any]]:
    """Return the items of a table as DynamoDB has them."""
    items: list[dict[str, Any]] = cloud.client.scan(TableName=cloud.env[table])["Items"]
    return items


def _in_clear(cloud: Cloud) -> Cloud:
    """Return the same cloud as it was before its keys were encrypted."""
    return replace(cloud, env=cloud.env | {"KEY_ENCRYPTION": "off", "SECRETS_KEY": "none"})


def test_no_item_holds_a_key_or_secret_that_was_shown(desk: Desk, encrypted: Cloud) -> None:
    issued = desk.partner()
    partner, source = f"/admin/partners/{issued['partnerId']}", desk.post("/admin/sources", _GATEWAY).body
    shown = [
        issued["key"],
        desk.post(f"{partner}/rotate-key").body["key"],
        *(desk.post(f"{partner}/signing-secret").body["signingSecret"] for _ in range(2)),
        source["secret"],
        desk.post(f"/admin/sources/{source['sourceId']}/secret", {"secret": "a given one, twice"}).body["secret"],
        desk.post(f"/admin/sources/{source['sourceId']}/secret").body["secret"],
    ]
    assert len(set(shown)) == 7
    (kept,), (gateway,) = _items(encrypted, "PARTNERS_TABLE"), _items(encrypted, "SOURCES_TABLE")
    for secret in shown:
        assert secret.encode() not in repr((kept, gateway)).encode()
    assert [kept["key"].keys(), gateway["secret"].keys()] == [{"B"}] * 2
    lists = [*kept["signing_secrets"]["L"], *gateway["former_secrets"]["L"]]
    assert [one["M"]["secret"].keys() for one in lists] == [{"B"}] * 4
    assert _shop(encrypted).post({"key": shown[1], "action": "GET_SERVICES"}).status == 200


_GATEWAY = {"name": "Gateway", "provider": "generic"}


def test_who_sells_to_a_partner_asks_kms_for_nothing(shop: Shop, kms: Asked) -> None:
    shop.stock(*PHONES)
    partner, activation_id = shop.sold()
    kms.operations.clear()
    assert shop.call(partner, "GET_SERVICES").status == 200
    assert shop.messages(partner, activation_id).body == {"status": "WAIT_CODE"}
    assert shop.finish(partner, activation_id, 3).status == 200
    assert kms.operations == []


def test_who_lists_partners_and_sources_decrypts_nothing(shop: Shop, desk: Desk, kms: Asked) -> None:
    partner = shop.partner()
    shop.source()
    kms.operations.clear()
    of_partner = f"/admin/partners/{partner.partner_id}"
    paths = ("/admin/partners", of_partner, f"{of_partner}/activity", "/admin/sources", "/admin/statistics")
    assert [desk.get(path).status for path in paths] == [200] * 5
    assert desk.patch(of_partner, {"name": "New"}).status == 200
    shop.sweep()
    assert kms.operations == []


def test_without_encryption_there_is_no_client_of_kms(cloud: Cloud) -> None:
    def never() -> Any:
        raise AssertionError("a client of KMS was made")

    cloud = replace(cloud, kms=never)
    shop, desk = _shop(cloud), Desk(cloud)
    desk.post(f"/admin/partners/{desk.partner()['partnerId']}/signing-secret")
    with Office(shop) as office:
        office.push()
        assert office.hub.got


def test_a_push_says_the_key_and_is_signed(office: Office, desk: Desk) -> None:
    path = f"/admin/partners/{office.partner.partner_id}"
    secret = desk.post(f"{path}/signing-secret").body["signingSecret"]
    key = desk.post(f"{path}/rotate-key").body["key"]
    signers: list[Any] = []
    attempt = office.hub.attempt

    async def signed(url: str, body: dict[str, object], secrets: Any, signer: Any, dialect: Any) -> Any:
        signers.append(signer)
        return await attempt(url, body, secrets, signer, dialect)

    pusher = office.with_parts(open_client=lambda: _Opened(signed))
    assert pusher.deliver([office.due()]) == frozenset()
    ((_, body, hidden),) = office.hub.got
    assert (body["key"], hidden[0]) == (key, key)
    assert [list(signer.secrets) for signer in signers] == [[secret]]


class _Opened(AbstractAsyncContextManager[Any]):
    """An HTTP client that attempts so."""

    def __init__(self, attempt: Any) -> None:
        self.attempt = attempt

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Have nothing to close."""


@pytest.mark.parametrize(("remembered", "asked"), [(0, [1, 1, 1]), (60, [1, 0, 1])])
def test_a_batch_decrypts_a_partners_key_once_and_not_while_it_is_remembered(
    encrypted: Cloud, kms: Asked, remembered: int, asked: list[int]
) -> None:
    shop = _shop(replace(encrypted, env=encrypted.env | {"CACHE_SECONDS": str(remembered)}))
    with Office(shop) as office:
        source, activation_id = shop.source(), ActivationId(office.activation_id)
        count: list[int] = []
        pushed: set[SmsRef] = set()
        for batch in range(3):
            shop.deliver(source, [{"phone": PHONE, "from": "a", "text": f"{batch} {number}"} for number in range(20)])
            refs = {SmsRef(activation_id, sms.sms_id) for sms in present(shop.activations.sale(activation_id)).sms}
            kms.operations.clear()
            office.pusher.deliver([DuePush(ref, office.partner.partner_id, 0) for ref in refs - pushed])
            count.append(kms.operations.count("Decrypt"))
            pushed |= refs
            encrypted.clock.advance(seconds=60 if batch else 0)
        assert (count, len(office.hub.got)) == (asked, 61)


def test_a_gateways_secrets_are_decrypted_once_for_as_long_as_they_are_remembered(
    encrypted: Cloud, kms: Asked, desk: Desk
) -> None:
    shop = _shop(encrypted, cache_seconds=60)
    source = shop.source()
    kms.operations.clear()
    statuses = [shop.deliver(source, []).status for _ in range(5)]
    # Strangers make us read the source again, not its secret.
    encrypted.clock.advance(seconds=2)
    statuses.append(shop.deliver(source, [], signature="0" * 64).status)
    assert (statuses, kms.operations) == ([200] * 5 + [401], ["Decrypt"])
    desk.post(f"/admin/sources/{source}/secret", {"secret": "another secret"})
    encrypted.clock.advance(seconds=2)
    kms.operations.clear()
    # The former one is still good; what was remembered of it is of another ciphertext.
    assert shop.deliver(source, []).status == 200
    encrypted.clock.advance(seconds=60)
    assert shop.deliver(source, []).status == 200
    assert set(kms.operations) == {"Decrypt"}


def test_what_is_in_clear_and_what_is_encrypted_work_side_by_side(encrypted: Cloud) -> None:
    before, after = _in_clear(encrypted), encrypted
    shop = _shop(before)
    source = shop.source()
    with Office(shop) as office:
        partner = office.partner
        path = f"/admin/partners/{partner.partner_id}/signing-secret"
        secrets = [Desk(cloud, seed).post(path).body["signingSecret"] for seed, cloud in enumerate((before, after))]
        Desk(after).post(f"/admin/sources/{source}/secret", {"secret": "another secret"})
    partners = Desk(after).admin.partners
    known = partners.secrets(partners.get(partner.partner_id), after.clock())
    (item,) = _items(after, "PARTNERS_TABLE")
    assert item["key"].keys() == {"S"}
    # Whatever is written is written encrypted, its former ones too.
    assert [one["M"]["secret"].keys() for one in item["signing_secrets"]["L"]] == [{"B"}] * 2
    assert (known.key, known.signing) == (partner.key, tuple(reversed(secrets)))
    again = _shop(after)
    assert again.deliver(source, []).status == 200
    assert again.call(partner, "GET_SERVICES").status == 200


def test_a_secret_of_any_length_is_read_as_it_was_given(encrypted: Cloud) -> None:
    secrets = ["8 signs.", "\N{SNOWMAN}" * 4_096, "\N{PILE OF POO}" * 4_096, "a" * 4_096]
    sources = Sources(encrypted.db, encrypted.env["SOURCES_TABLE"], 0, encrypted.clock, encrypted.encryption())
    for number, secret in enumerate(secrets):
        source_id = SourceId(f"s{number}")
        sources.add(Source(source_id, "Gateway", "generic", secret, 0))
        kept = present(sources.find(source_id))
        assert sources.secrets(kept, 0) == [secret]
        assert isinstance(kept.secret, bytes)


def _swap(cloud: Cloud, table: str, name: str, attribute: str, ids: tuple[str, str]) -> None:
    """Give the first the secret of the second, as who may write the table can."""
    items = {one[name]["S"]: one for one in _items(cloud, table)}
    stolen = items[ids[0]] | {attribute: items[ids[1]][attribute]}
    cloud.client.put_item(TableName=cloud.env[table], Item=stolen)


def test_what_was_encrypted_as_anothers_is_not_read(office: Office, kms: Asked) -> None:
    shop, cloud = office.shop, office.shop.cloud
    other, (source, another) = shop.partner(push_url=URL), (shop.source(), shop.source())
    _swap(cloud, "PARTNERS_TABLE", "partner_id", "key", (office.partner.partner_id, other.partner_id))
    _swap(cloud, "SOURCES_TABLE", "source_id", "secret", (source, another))
    assert office.push() == frozenset()
    assert (office.hub.got, len(office.queues.sent), office.sms().push_state) == ([], 1, PushState.PENDING)
    assert (shop.deliver(source, []).status, shop.deliver(another, []).status) == (500, 200)


def test_what_another_key_encrypted_is_not_read(office: Office, secrets_key: str) -> None:
    cloud = office.shop.cloud
    kept = cloud.encryption().written("gc_x_y", {"partner": office.partner.partner_id})
    replaced = replace(cloud, env=cloud.env | {"SECRETS_KEY": kms_client().create_key()["KeyMetadata"]["Arn"]})  # type: ignore[attr-defined]
    assert cloud.encryption().opened(kept, {"partner": office.partner.partner_id}) == "gc_x_y"
    with pytest.raises(Unavailable):
        replaced.encryption().opened(kept, {"partner": office.partner.partner_id})


@pytest.mark.parametrize("fault", TROUBLE)
def test_a_push_whose_key_cannot_be_decrypted_is_made_later_and_those_of_others_are_made(
    office: Office, kms: Asked, fault: Fault
) -> None:
    shop, clock = office.shop, office.shop.cloud.clock
    with Office(_shop(_in_clear(shop.cloud)), phone=PHONES[0]) as other:
        kms.fault = fault
        assert office.pusher.deliver_new([office.new(), other.new()]) == frozenset()
        assert [body["key"] for _, body, _ in office.hub.got] == [other.partner.key]
        # No attempt was made, so none is counted.
        assert (office.sms().push_state, office.attempts()) == (PushState.PENDING, [])
        assert [ref for ref, *_ in office.queues.sent] == [office.ref]
        kms.fault = None
        clock.advance(seconds=10)
        assert office.retry() == frozenset()
        assert (len(office.hub.got), office.sms().push_state) == (2, PushState.DELIVERED)


def test_nobody_waits_for_a_key_of_somebody_else(shop: Shop) -> None:
    pushed = threading.Event()

    class Slow:
        """A KMS that answers once somebody else's push was made."""

        def decrypt(self, **given: Any) -> Any:
            assert pushed.wait(20)
            return kms_client().decrypt(**given)

    with Office(shop) as office, Office(_shop(_in_clear(shop.cloud)), phone=PHONES[0]) as other:
        office.hub.before = pushed.set
        slow: Any = office.with_parts(partners=_read_by(shop.cloud, Slow()))
        assert slow.deliver([office.due(), other.due()]) == frozenset()
        assert [body["key"] for _, body, _ in office.hub.got] == [other.partner.key, office.partner.key]


def _read_by(cloud: Cloud, kms: Any) -> Any:
    reading = replace(cloud, kms=lambda: kms)
    return Partners(cloud.db, cloud.env["PARTNERS_TABLE"], 0, cloud.clock, reading.encryption())


@pytest.mark.parametrize("fault", TROUBLE)
def test_a_delivery_whose_secret_cannot_be_decrypted_is_not_acknowledged_nor_stored(
    shop: Shop, kms: Asked, fault: Fault
) -> None:
    shop.stock(PHONE)
    partner, activation_id = shop.sold()
    source, sms = shop.source(), {"phone": PHONE, "from": "a", "text": "b"}
    kms.fault = fault
    reply = shop.deliver(source, sms)
    assert reply.status == (503 if fault is Fault.THROTTLED else 500)
    assert reply.refusal
    assert shop.messages(partner, activation_id).body == {"status": "WAIT_CODE"}
    kms.fault = None
    assert shop.deliver(source, sms).status == 200
    assert len(shop.messages(partner, activation_id).body["messages"]) == 1


@pytest.mark.parametrize("fault", TROUBLE)
def test_what_staff_ask_for_without_kms_is_refused_and_changes_nothing(
    shop: Shop, desk: Desk, kms: Asked, fault: Fault
) -> None:
    partner, source = shop.partner(push_url=URL), shop.source()
    tables = ("PARTNERS_TABLE", "SOURCES_TABLE")
    before = [_items(shop.cloud, table) for table in tables]
    kms.fault = fault
    of_partner = f"/admin/partners/{partner.partner_id}"
    replies = [
        desk.post("/admin/partners", {"name": "New"}),
        desk.post(f"{of_partner}/rotate-key"),
        desk.post(f"{of_partner}/signing-secret"),
        desk.post(f"{of_partner}/test-push"),
        desk.post("/admin/sources", _GATEWAY),
        desk.post(f"/admin/sources/{source}/secret", {"secret": "another secret"}),
    ]
    assert {reply.status for reply in replies} <= {500, 503}
    assert [_items(shop.cloud, table) for table in tables] == before
    kms.fault = None
    assert desk.post(f"{of_partner}/rotate-key").status == 200


@pytest.mark.parametrize("state", ["on", "ending"])
def test_the_same_secret_sent_again_is_the_same_in_either_form(encrypted: Cloud, state: str) -> None:
    desk = Desk(replace(encrypted, env=encrypted.env | {"KEY_ENCRYPTION": state}))
    source = _shop(encrypted).source()
    path, given = f"/admin/sources/{source}/secret", {"secret": "another secret"}
    assert desk.post(path, given).status == 201
    kept = _items(encrypted, "SOURCES_TABLE")
    assert desk.post(path, given).status == 201
    assert _items(encrypted, "SOURCES_TABLE") == kept
    assert kept[0]["secret"].keys() == {"B" if state == "on" else "S"}
    assert len(kept[0]["former_secrets"]["L"]) == 1
    assert desk.admin.sources.secrets(present(desk.admin.sources.find(SourceId(source))), 0)[1] == SECRET


def test_no_log_has_a_secret_or_what_encrypts_it(office: Office, kms: Asked, logged: Any) -> None:
    shop, activation_id = office.shop, ActivationId(office.activation_id)
    shop.deliver(shop.source(), [{"phone": PHONE, "from": "a", "text": text} for text in "xyz"])
    refs = [SmsRef(activation_id, sms.sms_id) for sms in present(shop.activations.sale(activation_id)).sms]
    kms.fault = Fault.BROKEN
    office.pusher.deliver([DuePush(ref, office.partner.partner_id, 0) for ref in refs])
    lines = [json.loads(line) for line in logged.getvalue().splitlines() if '"unexpected_error"' in line]
    assert [line["error"] for line in lines] == ["InternalServerError"] * 4
    # It is raised to each of them, and does not grow by that.
    assert max(len(line["places"]) for line in lines) == len(lines[0]["places"])
    assert in_clear(office.partner.key) not in logged.getvalue()


# ---------------------------------------------------------------- make encrypt-keys


def _command(cloud: Cloud, state: str) -> Keys:
    """Return the command on a stack whose KeyEncryption is so."""
    stack = Stack("globalconnect", "arn", "UPDATE_COMPLETE", parameters={"KeyEncryption": state})
    held = {"PartnersTable": cloud.env["PARTNERS_TABLE"], "SourcesTable": cloud.env["SOURCES_TABLE"]}
    resources = [Resource(name, id_, "", "") for name, id_ in {**held, "SecretsKey": cloud.env["SECRETS_KEY"]}.items()]
    clients = {"kms": cloud.kms(), "dynamodb": cloud.client}
    return Keys(stack, resources, clients.__getitem__, "make deploy STACK=staging KEY_ENCRYPTION=")


def _run(cloud: Cloud, state: str) -> list[str]:
    said: list[str] = []
    _command(cloud, state).write_again(said.append)
    return said[1:]


def test_the_command_encrypts_all_that_is_stored_and_decrypts_it_before_the_end(encrypted: Cloud) -> None:
    before = _in_clear(encrypted)
    shop = _shop(before)
    partner, source = [shop.partner() for _ in range(3)][-1], shop.source()
    shop.partners.revoke(partner.partner_id, 1)
    Desk(before).post(f"/admin/partners/{shop.partner().partner_id}/signing-secret")
    tables = ("PARTNERS_TABLE", "SOURCES_TABLE")
    # Heard of once a minute only.
    shop.deliver(source, [])
    clear = [_items(encrypted, table) for table in tables]
    held, data = _command(encrypted, "on").resources, Data(encrypted.client, None)
    assert data.encrypted(held) == 0

    assert _run(encrypted, "on") == [
        "  partners  4 changed, 0 encrypted already, 0 left",
        "  sources   1 changed, 0 encrypted already, 0 left",
    ]
    kept = repr([_items(encrypted, table) for table in tables])
    assert not any(text in kept for text in ("'gc_", "whsec_", SECRET))
    assert data.encrypted(held) == 5
    assert _run(encrypted, "on")[0] == "  partners  0 changed, 4 encrypted already, 0 left"
    assert _shop(encrypted).deliver(source, []).status == 200

    assert _run(encrypted, "ending")[0] == "  partners  4 changed, 0 in clear already, 0 left"
    assert [_items(encrypted, table) for table in tables] == clear
    assert (_run(encrypted, "ending")[1], data.encrypted(held)) == (
        "  sources   0 changed, 1 in clear already, 0 left",
        0,
    )


def test_the_command_tells_what_it_has_left_and_takes_it_up_again(encrypted: Cloud, kms: Asked) -> None:
    shop = _shop(_in_clear(encrypted))
    shop.partner()
    shop.source()
    kms.fault = Fault.BROKEN
    said: list[str] = []
    with pytest.raises(DeploymentError, match="Not all of them are encrypted: InternalServerError"):
        _command(encrypted, "on").write_again(said.append)
    assert said[1:] == [f"  {what}  0 changed, 0 encrypted already, 1 left" for what in ("partners", "sources ")]
    kms.fault = None
    assert _run(encrypted, "on")[0] == "  partners  1 changed, 0 encrypted already, 0 left"


def test_the_command_says_what_comes_first_where_there_is_no_key(encrypted: Cloud) -> None:
    with pytest.raises(DeploymentError, match="make deploy STACK=staging KEY_ENCRYPTION=on"):
        _run(encrypted, "off")
