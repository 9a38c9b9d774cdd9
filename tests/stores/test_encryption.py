"""What is written in another form than before: keys of partners, secrets of partners and gateways (docs/adr/0038)."""

# ruff: noqa: N803 - arguments are called what boto3 calls them

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from globalconnect.domain.errors import Busy, Unavailable
from globalconnect.domain.ids import PartnerId, SourceId
from globalconnect.domain.partner import Partner, SigningSecret, digest_of, in_clear
from globalconnect.domain.source import Source
from globalconnect.store.encryption import Encryption
from globalconnect.store.partners import Partners
from globalconnect.store.sources import Sources
from simulation.aws import START, Cloud

HUB = Partner(PartnerId("hub"), "Hub", "gc_hub_first", None, None, "default", START)
SOURCE = Source(SourceId("s1"), "Gateway", "generic", "first", START)
KEY = "the key"


class Kms:
    """A KMS that shows what it encrypts, each time otherwise, and takes it for the same key and context only."""

    def __init__(self) -> None:
        self._times = itertools.count()

    def encrypt(self, *, KeyId: str, Plaintext: bytes, EncryptionContext: Mapping[str, str]) -> dict[str, bytes]:
        wrapped = [next(self._times), KeyId, dict(EncryptionContext), Plaintext.decode()]
        return {"CiphertextBlob": json.dumps(wrapped).encode()[::-1]}

    def decrypt(self, *, KeyId: str, CiphertextBlob: bytes, EncryptionContext: Mapping[str, str]) -> dict[str, bytes]:
        _, key, context, text = json.loads(CiphertextBlob[::-1])
        if (key, context) != (KeyId, dict(EncryptionContext)):
            raise ClientError({"Error": {"Code": "InvalidCiphertextException", "Message": ""}}, "Decrypt")
        return {"Plaintext": text.encode()}


def _encryption(*, encrypts: bool) -> Encryption:
    return Encryption(Kms, KEY, 0, lambda: START, encrypts=encrypts)


def _partners(tables: Cloud, *, encrypts: bool, kind: Callable[..., Partners] = Partners) -> Partners:
    return kind(tables.db, tables.env["PARTNERS_TABLE"], 0, tables.clock, _encryption(encrypts=encrypts))


def _sources(tables: Cloud, *, encrypts: bool, kind: Callable[..., Sources] = Sources) -> Sources:
    return kind(tables.db, tables.env["SOURCES_TABLE"], 0, tables.clock, _encryption(encrypts=encrypts))


def _raw(tables: Cloud, table: str) -> Any:
    (item,) = tables.client.scan(TableName=tables.env[table])["Items"]
    return item


def test_a_partners_secrets_are_encrypted_once_and_later_decrypted_and_nothing_else_changes(tables: Cloud) -> None:
    clear, encrypting = _partners(tables, encrypts=False), _partners(tables, encrypts=True)
    clear.add(HUB)
    for number in range(3):
        clear.rotate_signing_secret(HUB.partner_id, f"whsec_{number}", START)
    tables.client.update_item(
        TableName=tables.env["PARTNERS_TABLE"],
        Key={"partner_id": {"S": "hub"}},
        UpdateExpression="REMOVE key_sha256",
    )
    before = clear.get(HUB.partner_id)
    assert [encrypting.write_again(one) for store in (clear, encrypting) for one in store.every()] == [True, False]
    kept = encrypting.get(HUB.partner_id)
    assert replace(kept, key=before.key, signing_secrets=before.signing_secrets) == before
    assert encrypting.secrets(kept, START) == before.push_secrets(START)
    item = _raw(tables, "PARTNERS_TABLE")
    assert item["key_sha256"] == {"S": digest_of(in_clear(HUB.key))}
    assert (item["key"].keys(), "gc_hub" in str(item), "whsec" in str(item)) == ({"B"}, False, False)
    assert clear.authenticate(in_clear(HUB.key)).partner_id == "hub"
    assert [clear.write_again(one) for one in [*clear.every(), *clear.every()]] == [True, False]
    assert clear.get(HUB.partner_id) == before


def test_a_sources_secrets_are_encrypted_once_and_later_decrypted_and_nothing_else_changes(tables: Cloud) -> None:
    clear, encrypting = _sources(tables, encrypts=False), _sources(tables, encrypts=True)
    clear.add(SOURCE)
    for number, former in enumerate(((), (SigningSecret("first", START + 86_400_000),))):
        if number:
            clear.replace_secret(SOURCE.source_id, "second", START)
        before = replace(SOURCE, secret="second" if number else "first", former_secrets=former)
        assert list(clear.every()) == [before]
        assert [encrypting.write_again(one) for _ in range(2) for one in encrypting.every()] == [True, False]
        (kept,) = encrypting.every()
        assert replace(kept, secret=before.secret, former_secrets=former) == before
        assert encrypting.secrets(kept, START) == before.secrets(START)
        item = str(_raw(tables, "SOURCES_TABLE"))
        assert ("first" in item, "second" in item) == (False, False)
        assert [clear.write_again(one) for _ in range(2) for one in clear.every()] == [True, False]
        assert list(clear.every()) == [before]


def test_who_changes_a_secret_meanwhile_keeps_what_they_were_shown(tables: Cloud) -> None:
    clear, encrypting = _partners(tables, encrypts=False), _partners(tables, encrypts=True)
    clear.add(HUB)
    (read,) = encrypting.every()
    steps: list[Callable[[], object]] = [
        lambda: clear.rotate_key(HUB.partner_id, "gc_hub_second"),
        lambda: clear.rotate_signing_secret(HUB.partner_id, "whsec_new", START),
        # By the next version, whose key is encrypted already.
        lambda: encrypting.rotate_key(HUB.partner_id, "gc_hub_third"),
    ]
    for step in steps:
        step()
        encrypting.write_again(read)
        read = encrypting.get(HUB.partner_id)
        assert isinstance(read.key, bytes)
    known = encrypting.secrets(read, START)
    assert (known.key, known.signing) == ("gc_hub_third", ("whsec_new",))

    gateways = _sources(tables, encrypts=True)
    _sources(tables, encrypts=False).add(SOURCE)
    (found,) = gateways.every()
    _sources(tables, encrypts=False).replace_secret(SOURCE.source_id, "second", START)
    assert gateways.write_again(found)
    (kept,) = gateways.every()
    assert gateways.secrets(kept, START) == ["second", "first"]
    gateways.remove(SOURCE.source_id)
    assert not gateways.write_again(found)
    assert list(gateways.every()) == []


def test_who_is_always_overtaken_gives_up(tables: Cloud) -> None:
    clear = _partners(tables, encrypts=False)
    clear.add(HUB)

    class Overtaken(Partners):
        """Somebody else is always a little faster."""

        def _as_written(self, partner: Partner) -> Partner:
            clear.change(partner.partner_id, {"name": "New"})
            return super()._as_written(partner)

    with pytest.raises(Busy):
        _partners(tables, encrypts=True, kind=Overtaken).write_again(HUB)
    assert clear.get(HUB.partner_id).key == HUB.key


def test_what_is_encrypted_is_nobodys_elses_and_of_no_use_without_kms(tables: Cloud) -> None:
    encrypting = _partners(tables, encrypts=True)
    encrypting.add(HUB)
    kept = encrypting.get(HUB.partner_id)
    remembering = Encryption(Kms, KEY, 60, lambda: START)
    assert remembering.opened(kept.key, {"partner": "hub"}) == HUB.key
    with pytest.raises(Unavailable):
        remembering.opened(kept.key, {"partner": "other"})
    without = Partners(tables.db, tables.env["PARTNERS_TABLE"], 0, tables.clock)
    for store, partner in ((encrypting, replace(kept, partner_id=PartnerId("other"))), (without, kept)):
        with pytest.raises(Unavailable):
            store.secrets(partner, START)
    assert without.authenticate(in_clear(HUB.key)).key == ""
