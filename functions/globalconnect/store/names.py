"""The Names table: what partners call our countries, operators and services, one item per partner (docs/adr/0049)."""

from globalconnect.domain.errors import TooLarge
from globalconnect.domain.ids import PartnerId, Rng, new_token
from globalconnect.domain.partner import Partner
from globalconnect.domain.partner_names import OUR_NAMES, PartnerNames
from globalconnect.store.codec import Codec
from globalconnect.store.dynamo import Dynamo, put
from globalconnect.store.packing import pack_json, unpack_json
from globalconnect.store.partners import Partners

_CODEC = Codec(PartnerNames)
# An item holds 400 KB.
_LARGEST = 380_000
_VERSION_LENGTH = 16


class Names:
    """Names by partner. Each partner says which version of its names is the current one, and that is read once."""

    def __init__(self, db: Dynamo, table: str) -> None:
        self._db = db
        self._table = table
        self._read: dict[PartnerId, tuple[str, PartnerNames]] = {}

    def of(self, partner: Partner) -> PartnerNames:
        """Return what a partner calls what we have, as of when the partner was read or later. Raises Busy."""
        if partner.names_version is None:
            return OUR_NAMES
        version, names = self._read.get(partner.partner_id, (None, OUR_NAMES))
        if version != partner.names_version:
            item = self._db.get(self._table, {"partner_id": partner.partner_id})
            if item is None:
                raise LookupError(f"partner {partner.partner_id} has names that are not there")
            names = _CODEC.from_item(unpack_json(item["names"]))
            # By its own version: what is newer than the partner, or older after a restore, is not taken for the current one.
            self._read[partner.partner_id] = (item["version"], names)
        return names

    def replace(self, partners: Partners, partner_id: PartnerId, names: PartnerNames, rng: Rng) -> None:
        """Give a partner these names and no others, under a version that nothing has had.

        Raises TooLarge, NotFound, Conflict when the partner is revoked, Busy and Unavailable.
        """
        packed = pack_json(_CODEC.to_item(names))
        if len(packed) > _LARGEST:
            raise TooLarge(f"names: expected at most {_LARGEST} bytes of them, packed")
        version = new_token(_VERSION_LENGTH, rng)
        item = {"partner_id": partner_id, "version": version, "names": packed}
        partners.put_names(partner_id, None if names == OUR_NAMES else version, put(self._table, item))
