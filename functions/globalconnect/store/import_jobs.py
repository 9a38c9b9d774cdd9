"""The Imports table: imports of numbers that are sent in parts (docs/adr/0024).

The collection `imports` holds every import by its id, `parts#<id>` what became of the parts of one, by their number.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import partial

from globalconnect.domain.errors import existing
from globalconnect.domain.import_job import ImportJob, ImportPart, RejectedRow
from globalconnect.store.activations import expire_at
from globalconnect.store.codec import Codec
from globalconnect.store.cursors import Listing, Page, has
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Item, Key, expression, put, update
from globalconnect.store.packing import pack_json, unpack_json

IMPORTS = "imports"
_LISTING = Listing("imports", partial(has, collection=IMPORTS, entry=str))

# Deployed stacks have imports with these names.
_CODEC = Codec(ImportJob, {"import_id": "entry", "staff": "operator"})
_to_import = _CODEC.from_item
_COUNTS = ("rows", "imported", "updated", "unchanged")


class ImportJobs:
    """Imports by id, with their parts. Kept for `retention` ms."""

    def __init__(self, db: Dynamo, table: str, retention: int) -> None:
        self._db = db
        self.table = table
        self._retention = retention

    def start(self, job: ImportJob) -> None:
        """Store a new import. Raises ConditionFailed when its id is taken."""
        item = {
            "collection": IMPORTS,
            **_CODEC.to_item(job),
            "expire_at": expire_at(job.started_at, self._retention),
        }
        self._db.put(self.table, item, expression("attribute_not_exists(#entry)"))

    def get(self, import_id: str) -> ImportJob | None:
        item = self._db.get(self.table, _key_of(import_id))
        return _to_import(item) if item else None

    def page(self, limit: int, cursor: str | None) -> Page[ImportJob]:
        """Return one page of all imports, newest first. Raises InvalidInput for a cursor of something else."""
        condition = expression("#collection = :imports", imports=IMPORTS)
        page = self._db.query(self.table, condition, limit=limit, after=_LISTING.key(cursor), newest_first=True)
        return Page([_to_import(item) for item in page.items], _LISTING.cursor(page.next_key))

    def part(self, import_id: str, number: int) -> ImportPart | None:
        """Return what a part did, None as long as it is not recorded."""
        item = self._db.get(self.table, _part_key(import_id, number))
        return _to_part(item) if item else None

    def taken_before(self, import_id: str, number: int, phones: AbstractSet[str]) -> set[str]:
        """Return those of the phones that are in parts before that of this number."""
        condition = expression(
            "#collection = :parts AND #entry < :entry", parts=_parts_of(import_id), entry=_entry_of(number)
        )
        taken: set[str] = set()
        for item in self._db.query_all(self.table, condition):
            taken |= phones & set(unpack_json(item["phones"]))
        return taken

    def record(self, job: ImportJob, part: ImportPart, phones: Iterable[str]) -> None:
        """Record what a part did, with the phones in it, and count it to its import, both or neither.

        Raises ConditionFailed when it is not the next part of an open import (any more), and Busy.
        """
        item = {
            **_part_key(job.import_id, part.number),
            "content": part.content,
            **{name: getattr(part, name) for name in _COUNTS},
            # As they are, those of a part could outgrow an item.
            "rejected": pack_json([(refused.row, refused.reason) for refused in part.rejected]),
            "phones": pack_json(sorted(phones)),
            "expire_at": expire_at(job.started_at, self._retention),
        }
        counts = {name: getattr(part, name) for name in _COUNTS} | {"rejected": len(part.rejected)}
        change = expression(
            f"SET #parts = :number ADD {', '.join(f'#{name} :{name}' for name in counts)}", number=part.number, **counts
        )
        next_of_open = expression("attribute_not_exists(#finished_at) AND #parts = :before", before=part.number - 1)
        self._db.transact(
            update(self.table, _key_of(job.import_id), change, next_of_open),
            put(self.table, item, expression("attribute_not_exists(#entry)")),
            was_done=lambda: self.part(job.import_id, part.number) == part,
        )

    def finish(self, import_id: str, now: int) -> ImportJob:
        """End an import at `now` (ms): it takes no more parts. One that has ended stays as it is. Raises NotFound."""
        try:
            ended = self._db.update(
                self.table,
                _key_of(import_id),
                expression("SET #finished_at = :now", now=now),
                expression("attribute_exists(#entry) AND attribute_not_exists(#finished_at)"),
            )
        except ConditionFailed:
            return existing(self.get(import_id), "import")
        return _to_import(ended)

    def rejected(self, import_id: str, limit: int, cursor: str | None) -> Page[RejectedRow]:
        """Return one page of the rows that were not imported, in the order of the file.

        Raises InvalidInput for a cursor of something else, and NotFound.
        """
        # Its keys name the last row of the page, and that row's part.
        listing = Listing("rejected", partial(has, part=int, row=int), (import_id,))
        after = listing.key(cursor)
        existing(self.get(import_id), "import")
        part, row = (after["part"], after["row"]) if after else (1, 0)
        condition = expression(
            "#collection = :parts AND #entry >= :entry", parts=_parts_of(import_id), entry=_entry_of(part)
        )
        found: list[RejectedRow] = []
        for item in self._db.query_all(self.table, condition):
            for refused in _refused_in(item):
                if refused.row <= row:
                    continue
                if len(found) == limit:
                    return Page(found, listing.cursor({"part": part, "row": found[-1].row}))
                found.append(refused)
                part = int(item["entry"])
        return Page(found, None)


def _key_of(import_id: str) -> Key:
    return {"collection": IMPORTS, "entry": import_id}


def _parts_of(import_id: str) -> str:
    return f"parts#{import_id}"


def _entry_of(number: int) -> str:
    # As long as the longest, so that they are in order.
    return f"{number:04}"


def _part_key(import_id: str, number: int) -> Key:
    return {"collection": _parts_of(import_id), "entry": _entry_of(number)}


def _to_part(item: Item) -> ImportPart:
    return ImportPart(
        number=int(item["entry"]),
        content=item["content"],
        **{name: item[name] for name in _COUNTS},
        rejected=tuple(_refused_in(item)),
    )


def _refused_in(item: Item) -> list[RejectedRow]:
    return [RejectedRow(row, reason) for row, reason in unpack_json(item["rejected"])]
