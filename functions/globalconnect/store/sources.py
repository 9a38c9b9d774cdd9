"""The Sources table: inbound gateways."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial

from globalconnect.domain.errors import Busy, Conflict, NotFound, existing
from globalconnect.domain.ids import SourceId
from globalconnect.domain.partner import Secret
from globalconnect.domain.source import Problem, Source, SourceSettings
from globalconnect.domain.times import MINUTE
from globalconnect.store.cache import Cache
from globalconnect.store.codec import Codec
from globalconnect.store.cursors import Listing, Page, has
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Expression, changing, expression
from globalconnect.store.encryption import NO_ENCRYPTION, Context, Encryption

# What is heard from a source is noted so often at most.
NOTED_EVERY = MINUTE
# How often it is tried to write secrets in another form while somebody replaces them.
_TRIES = 8
# What tells whether a source is silent (template.yaml lets the sweep read nothing else).
_FOR_SILENCE = ("source_id", "name", "provider", "created_at", "settings", "last_sms_at", "quiet_since")
_LISTING = Listing("sources", partial(has, source_id=str))

_CODEC = Codec(
    Source,
    parts={
        "last_unreadable": Codec(Problem, {"at": "unreadable_at", "reason": "unreadable_reason"}),
        "last_untimed": Codec(Problem, {"at": "untimed_at", "reason": "untimed_reason"}),
    },
)
_to_source = _CODEC.from_item


class Sources:
    """Sources by id; what is read is remembered for `cache_seconds`.

    Their secrets are given as they are kept; `secrets` decrypts them.
    """

    def __init__(
        self,
        db: Dynamo,
        table: str,
        cache_seconds: int,
        now: Callable[[], int],
        encryption: Encryption = NO_ENCRYPTION,
    ) -> None:
        self._db = db
        self._table = table
        self._encryption = encryption
        self._cache: Cache[Source] = Cache(cache_seconds, now)
        # When something was noted last, by source and attribute: what is remembered of a source may be older.
        self._noted: dict[tuple[str, str], int] = {}
        # How many SMS of a source have come since one was noted.
        self._unnoted: dict[SourceId, int] = {}

    def find(self, source_id: SourceId, oldest: int | None = None) -> Source | None:
        """Return a source as it was at most `cache_seconds`, and `oldest` ms, ago."""
        return self._cache.get(source_id, lambda: self._read(source_id), oldest)

    def has(self, source_id: SourceId) -> bool:
        """Return whether there is a source now; neither its secrets nor anything else of it is read."""
        return self._db.get(self._table, {"source_id": source_id}, ["source_id"]) is not None

    def secrets(self, source: Source, now: int) -> list[str]:
        """Return the secrets of a source that are good at `now` (ms), newest first. Raises Busy and Unavailable."""
        context = _context(source.source_id)
        return [self._encryption.opened(secret, context) for secret in source.secrets(now)]

    def page(self, limit: int, cursor: str | None) -> Page[Source]:
        """Return one page of all sources, in no order. Raises InvalidInput for a cursor of something else."""
        page = self._db.scan(self._table, limit=limit, after=_LISTING.key(cursor))
        return Page([_to_source(item) for item in page.items], _LISTING.cursor(page.next_key))

    def add(self, source: Source) -> None:
        """Store a new source. Raises ConditionFailed when its id is taken, Busy and Unavailable."""
        item = _CODEC.to_item(self._as_written(source))
        self._db.put(self._table, item, expression("attribute_not_exists(#source_id)"))

    def remove(self, source_id: SourceId) -> None:
        """Remove a source. Raises NotFound."""
        existing(self._read(source_id), "source")
        # It may be gone by now: by a try of ours that AWS did not answer.
        with suppress(ConditionFailed):
            self._db.delete(self._table, {"source_id": source_id}, expression("attribute_exists(#source_id)"))
        self._cache.forget(source_id)

    def change(self, source_id: SourceId, name: str, settings: SourceSettings) -> Source:
        """Give a source a name and settings, and return it as it is then. Raises NotFound, Busy and Unavailable."""
        kept = dict(settings)
        change = changing({"name": name, **({"settings": kept} if kept else {})}, removes=[] if kept else ["settings"])
        try:
            item = self._db.update(
                self._table, {"source_id": source_id}, change, expression("attribute_exists(#source_id)")
            )
        except ConditionFailed:
            raise NotFound("source") from None
        self._cache.forget(source_id)
        return _to_source(item)

    def replace_secret(self, source_id: SourceId, secret: str, now: int) -> None:
        """Give a source a new secret at `now` (ms). One that is its newest already changes nothing.

        Raises NotFound, and Conflict when somebody else has replaced it meanwhile: of two new secrets neither may go
        missing, both have been shown.
        """
        before = existing(self._read(source_id), "source")
        opened = self._opened(before)
        after = opened.with_secret(secret, now)
        if after is opened:
            return
        try:
            self._replace_secrets(before, self._as_written(after))
        except ConditionFailed:
            found = existing(self._read(source_id), "source")
            # It has it by a try of ours that AWS did not answer.
            if secret not in self.secrets(found, now):
                raise Conflict("source: its secret was replaced meanwhile; try again") from None
        self._cache.forget(source_id)

    def every(self) -> Iterator[Source]:
        return map(_to_source, self._db.scan_all(self._table, consistent=True))

    def every_without_secrets(self) -> Iterator[Source]:
        """Return all sources, as far as the sweep needs them to see who is silent."""
        for item in self._db.scan_all(self._table, consistent=True, attributes=_FOR_SILENCE):
            yield _to_source(item | {"secret": ""})

    def write_again(self, source: Source) -> bool:
        """Write a source's secrets in the form in which they are written now, and nothing else of it.

        Returns whether any was in the other. Raises Busy and Unavailable.
        """
        found: Source | None = source
        for _ in range(_TRIES):
            if found is None or (wanted := self._as_written(found)) == found:
                return False
            try:
                self._replace_secrets(found, wanted)
            except ConditionFailed:
                found = self._read(found.source_id)
            else:
                return True
        raise Busy

    def _replace_secrets(self, before: Source, after: Source) -> None:
        """Keep other secrets of a source that was read before. Raises ConditionFailed when it has others by now, Busy."""
        kept = _CODEC.to_item(after)
        change = changing({name: kept[name] for name in ("secret", "former_secrets") if kept[name] is not None})
        self._db.update(self._table, {"source_id": before.source_id}, change, _unchanged(before))

    def _opened(self, source: Source) -> Source:
        return _with_each(source, partial(self._encryption.opened, context=_context(source.source_id)))

    def _as_written(self, source: Source) -> Source:
        return _with_each(source, partial(self._encryption.written, context=_context(source.source_id)))

    def note_heard(self, source: Source, now: int) -> None:
        """Note that a source was heard at `now` (ms), unless that was noted less than NOTED_EVERY ago. Raises Busy."""
        change = expression("SET #last_heard_at = :now", now=now)
        self._note(source, "last_heard_at", lambda source: source.last_heard_at, change, now)

    def note_sms(self, source: Source, count: int, now: int) -> tuple[int, int] | None:
        """Note that a source sent SMS at `now` (ms), unless that was noted less than NOTED_EVERY ago. Raises Busy.

        Returns how long after those before that was (ms), and how many have come to this environment closer together; None
        when it is not noted or there were none before.
        """
        source_id = source.source_id
        before = max(source.last_sms_at or 0, self._noted.get((source_id, "last_sms_at"), 0))
        self._unnoted[source_id] = self._unnoted.get(source_id, 0) + count
        change = expression("SET #last_heard_at = :now, #last_sms_at = :now REMOVE #quiet_since", now=now)
        if not self._note(source, "last_sms_at", lambda source: source.last_sms_at, change, now):
            return None
        closer = self._unnoted.pop(source_id) - 1
        return (now - before, closer) if before else None

    def note_quiet(self, source: Source, since: int | None) -> None:
        """Note since when (ms) a source is quiet, None that it isn't; not if it has sent an SMS meanwhile."""
        change = changing(
            {} if since is None else {"quiet_since": since}, removes=["quiet_since"] if since is None else []
        )
        is_as_read = expression("#last_sms_at = :last", last=source.last_sms_at)
        with suppress(ConditionFailed):
            self._db.update_unseen(self._table, {"source_id": source.source_id}, change, is_as_read)

    def note_unreadable(self, source: Source, reason: str, now: int) -> None:
        """Note that a source was heard at `now` (ms) and could not be read, unless that was noted less than NOTED_EVERY
        ago. Raises Busy.
        """
        change = expression(
            "SET #last_heard_at = :now, #unreadable_at = :now, #unreadable_reason = :reason", now=now, reason=reason
        )
        self._note(source, "unreadable_at", lambda source: _at(source.last_unreadable), change, now)

    def note_untimed(self, source: Source, reason: str, now: int) -> None:
        """Note at `now` (ms) that a source sent an SMS without a time of receipt that can be used, and why it can't,
        unless that was noted less than NOTED_EVERY ago. Raises Busy.
        """
        change = expression("SET #untimed_at = :now, #untimed_reason = :reason", now=now, reason=reason)
        self._note(source, "untimed_at", lambda source: _at(source.last_untimed), change, now)

    def _note(
        self, source: Source, attribute: str, noted_in: Callable[[Source], int | None], change: Expression, now: int
    ) -> bool:
        """Note something, unless that was done less than NOTED_EVERY ago; tell whether it was noted now."""
        known = (source.source_id, attribute)
        if now < max(noted_in(source) or 0, self._noted.get(known, 0)) + NOTED_EVERY:
            return False
        # Before the write, so that one that fails is not tried again by every delivery.
        self._noted[known] = now
        due = expression(
            f"attribute_exists(#source_id) AND (attribute_not_exists(#{attribute}) OR #{attribute} <= :before)",
            before=now - NOTED_EVERY,
        )
        try:
            self._db.update(self._table, {"source_id": source.source_id}, change, due)
        except ConditionFailed:
            # Another environment has noted it: the next note is due that much earlier. Or the source is gone.
            found = self._read(source.source_id)
            if found is not None:
                self._noted[known] = noted_in(found) or now
            return False
        return True

    def _read(self, source_id: SourceId) -> Source | None:
        item = self._db.get(self._table, {"source_id": source_id})
        return _to_source(item) if item else None


def _context(source_id: SourceId) -> Context:
    return {"source": source_id}


def _with_each(source: Source, change: Callable[[Secret], Secret]) -> Source:
    """Return a source with each of its secrets changed so."""
    former = tuple(replace(known, secret=change(known.secret)) for known in source.former_secrets)
    return replace(source, secret=change(source.secret), former_secrets=former)


def _unchanged(source: Source) -> Expression:
    if not source.former_secrets:
        return expression("#secret = :known AND attribute_not_exists(#former_secrets)", known=source.secret)
    # By the newest of them, not by the list: no condition rests on how DynamoDB compares lists of maps.
    newest = source.former_secrets[0]
    return expression(
        "#secret = :known AND #former_secrets[0].#secret = :newest AND #former_secrets[0].#until = :until",
        known=source.secret,
        newest=newest.secret,
        until=newest.until,
    )


def _at(problem: Problem | None) -> int | None:
    return problem.at if problem else None
