import { useState } from "preact/hooks";
import { type Schemas, api } from "../../api";
import { Listing } from "../../components/listing";
import { count } from "../../figures";
import { hrefTo } from "../../router";

type PoolCounts = Schemas["PoolView"];

// Of a long catalogue so many services are shown, the others on request.
const MAX_SERVICES = 8;

export function Pools() {
  return (
    <>
      <h2>Pools</h2>
      <Listing<PoolCounts>
        caption="Pools"
        load={async (cursor, signal) => {
          const page = await api.get("/admin/pools", { query: { cursor }, signal });
          return { rows: page.pools, cursor: page.cursor };
        }}
        keyOf={(pool) => JSON.stringify([pool.country, pool.operator])}
        columns={[
          { title: "Country", cell: (pool) => <a class="foreign" href={poolHref(pool.country)}>{pool.country}</a> },
          {
            title: "Operator",
            cell: (pool) => <a class="foreign" href={poolHref(pool.country, pool.operator)}>{pool.operator}</a>,
          },
          // Each is one of the three: free, held, or offline, which some are that are held.
          { title: "On sale", cell: (pool) => count(pool.total - pool.offline), number: true },
          { title: "Free", cell: (pool) => count(pool.free), number: true },
          { title: "Held", cell: (pool) => count(pool.total - pool.offline - pool.free), number: true },
          {
            title: "Offline",
            cell: ({ country, offline }) =>
              offline === 0 ? 0 : <a href={offlineHref(country)}>{count(offline)}</a>,
            number: true,
          },
          { title: "Free by service", cell: (pool) => <ServiceCounts {...pool} /> },
        ]}
        empty={
          <>
            No numbers yet. <a href={hrefTo("imports")}>Import some</a>.
          </>
        }
      />
    </>
  );
}

/** Return the link to the numbers of a pool, or of all pools of a country. */
export function poolHref(country: string, operator?: string): string {
  return `${hrefTo("numbers")}?${new URLSearchParams({ country, ...(operator === undefined ? {} : { operator }) })}`;
}

/** Return the link to the numbers that are offline, of a country or of all. */
export function offlineHref(country: string | null): string {
  return `${hrefTo("numbers")}?${new URLSearchParams({ ...(country === null ? {} : { country }), online: "false" })}`;
}

function ServiceCounts({ services }: PoolCounts) {
  const [all, setAll] = useState(false);
  const entries = Object.entries(services);
  if (entries.length === 0) return <>No service is on sale</>;
  const shown = all ? entries : entries.slice(0, MAX_SERVICES);
  return (
    <ul class="tags">
      {shown.map(([code, available]) => (
        <li key={code}>
          <code>{code}</code> {count(available)}
        </li>
      ))}
      {entries.length > shown.length && (
        <li>
          <button type="button" class="small" onClick={() => setAll(true)}>
            {count(entries.length - shown.length)} more
          </button>
        </li>
      )}
    </ul>
  );
}
