import { api } from "../../api";
import { Badge } from "../../components/badge";
import { Rows } from "../../components/listing";
import { Loaded } from "../../components/status";
import { type PoolCount, poolKey } from "../../csv";
import { useData } from "../../data";
import { count, plural } from "../../figures";

// Of a file's pools so many are shown, new ones first.
const MAX_POOLS = 50;

/** A file's pools, and which of them an import would create: misspelled ones are among these. */
export function PoolsOfFile({ pools }: { pools: readonly PoolCount[] }) {
  const stored = useData(storedPools, []);
  return <Loaded data={stored}>{(known) => <ComparedPools pools={pools} known={known} />}</Loaded>;
}

function ComparedPools({ pools, known }: { pools: readonly PoolCount[]; known: ReadonlySet<string> }) {
  const isNew = (pool: PoolCount) => !known.has(poolKey(pool));
  const created = pools.filter(isNew);
  const ordered = [...created, ...pools.filter((pool) => !isNew(pool))];
  return (
    <>
      <p>
        {created.length === 0
          ? "All pools of the file exist."
          : `${count(created.length)} of ${plural(pools.length, "pool")} ${created.length === 1 ? "is" : "are"} new.`}
      </p>
      <Rows<PoolCount>
        caption="Pools of the file"
        rows={ordered.slice(0, MAX_POOLS)}
        keyOf={poolKey}
        columns={[
          { title: "Country", cell: ({ country }) => <span class="foreign">{country}</span> },
          { title: "Operator", cell: ({ operator }) => <span class="foreign">{operator}</span> },
          { title: "Pool", cell: (pool) => (isNew(pool) ? <Badge tone="warn">New pool</Badge> : "Exists") },
          { title: "Rows", cell: ({ rows }) => count(rows), number: true },
        ]}
      />
      {ordered.length > MAX_POOLS && <p class="quiet">And {plural(ordered.length - MAX_POOLS, "more pool")}.</p>}
    </>
  );
}

async function storedPools(signal: AbortSignal): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await api.get("/admin/pools", { query: { cursor }, signal });
    for (const pool of page.pools) known.add(poolKey(pool));
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return known;
}
