"""The stream of a table, as Lambda reads it: each shard at fixed times, its records in lanes by their key,
in order per lane, one batch at a time, until it is done.
"""

import asyncio
import itertools
import zlib
from collections import defaultdict, deque
from typing import Any

from globalconnect.domain.sms import Sms
from globalconnect.domain.times import DAY
from globalconnect.store.activations import from_sms
from globalconnect.store.dynamo import to_wire
from simulation.pushes.environments import InvocationFailed, Refused
from simulation.pushes.parameters import Parameters
from simulation.pushes.queue import Invoke
from simulation.pushes.timeline import timeline

type Record = dict[str, Any]
# A shard, and which of its lanes.
type _Lane = tuple[int, int]

_PAUSE_AFTER_FAILURE = 0.2
_KEEP = 30 * DAY


class Stream:
    """Records of a table in shards and lanes by the key that items share a partition by; `given_up` are those that failed for good.

    `repeat` is how many of the next batches are handed over once more after they went well, `at_once` how many are
    handed over to two environments at the same time.
    """

    def __init__(self, invoke: Invoke, parameters: Parameters, key: str = "activation_id") -> None:
        self.given_up: list[Record] = []
        self.repeat = 0
        self.at_once = 0
        self._invoke = invoke
        self._parameters = parameters
        self._key = key
        self._lanes: defaultdict[_Lane, deque[Record]] = defaultdict(deque)
        # By shard, what came since it was last looked at.
        self._new: defaultdict[int, list[tuple[_Lane, Record]]] = defaultdict(list)
        self._reading: dict[_Lane, asyncio.Task[None]] = {}
        self._serial = itertools.count(1)

    @property
    def unread(self) -> list[Record]:
        new = (record for came in self._new.values() for _, record in came)
        return [*itertools.chain(*self._lanes.values()), *new]

    def inserted(self, sms: Sms) -> None:
        item = to_wire(from_sms(sms, _KEEP))
        record = {
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "dynamodb": {
                "Keys": {name: item[name] for name in ("activation_id", "entry")},
                "NewImage": item,
                "SequenceNumber": f"{next(self._serial):021}",
                "StreamViewType": "NEW_IMAGE",
            },
        }
        self.add(record)

    def add(self, record: Record) -> None:
        """Take a record that the table's stream brings."""
        (key,) = record["dynamodb"]["Keys"][self._key].values()
        # A shard is a range of hashed keys, a lane a part of it.
        place, shard = divmod(zlib.crc32(key.encode()), self._parameters.shards)
        new = self._new[shard]
        if not new:
            poll = self._parameters.stream_poll
            timeline().call_later(poll - timeline().time() % poll, self._look, shard)
        new.append(((shard, place % self._parameters.stream_lanes), record))

    def _look(self, shard: int) -> None:
        for lane, record in self._new.pop(shard):
            self._lanes[lane].append(record)
            if lane not in self._reading:
                self._reading[lane] = timeline().create_task(self._read(lane))

    async def _read(self, lane: _Lane) -> None:
        records = self._lanes[lane]
        size, tries = self._parameters.stream_batch, 0
        while records:
            if tries == 0 and len(records) < size:
                await asyncio.sleep(self._parameters.stream_window)
            batch = list(itertools.islice(records, size))
            try:
                done = await self._deal_with(batch)
            except Refused:
                # Until there is an execution left; that is no try of the batch's.
                await asyncio.sleep(_PAUSE_AFTER_FAILURE)
                continue
            tries += 1
            if done < len(batch) and tries >= self._parameters.stream_tries:
                self.given_up += batch[done:]
                done = len(batch)
            for _ in range(done):
                records.popleft()
            if done == len(batch):
                size, tries = self._parameters.stream_batch, 0
            else:
                # BisectBatchOnFunctionError
                size = max(1, len(batch) // 2)
                await asyncio.sleep(_PAUSE_AFTER_FAILURE)
        del self._reading[lane]

    async def _deal_with(self, batch: list[Record]) -> int:
        """Have a batch dealt with; return how many of its records need not come again."""
        invocations = 1
        if self.at_once > 0:
            self.at_once -= 1
            invocations = 2
        try:
            answer, *_ = await asyncio.gather(*(self._invoke({"Records": batch}) for _ in range(invocations)))
            if self.repeat > 0:
                self.repeat -= 1
                answer = await self._invoke({"Records": batch})
        except Refused:
            raise
        except InvocationFailed:
            return 0
        # A function that says nothing has dealt with all.
        failures = {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", ())}
        for place, record in enumerate(batch):
            if record["dynamodb"]["SequenceNumber"] in failures:
                return place
        return len(batch)
