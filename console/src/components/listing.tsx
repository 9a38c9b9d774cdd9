import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { message } from "../api";
import { usePolling } from "../data";
import { SignedOut } from "../session";
import { announce } from "./announce";
import { Failure, Updated } from "./status";

export interface PageOf<T> {
  readonly rows: readonly T[];
  /** Where the next page begins, null at the end. */
  readonly cursor: string | null;
}

export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => ComponentChildren;
  /** Set for numbers, which stand on the right. */
  readonly number?: boolean;
}

interface ListingProps<T> {
  /** What is listed; a screen reader's name for the table. */
  readonly caption: string;
  readonly load: (cursor: string | undefined, signal: AbortSignal) => Promise<PageOf<T>>;
  /** The listing begins anew when one of these changes: filters, a count of changes made. */
  readonly deps?: readonly unknown[];
  readonly columns: readonly Column<T>[];
  readonly keyOf: (row: T) => string | number;
  /** Said when there is nothing. */
  readonly empty: ComponentChildren;
  /** Read the first page again every so many seconds; for listings that have the newest first. */
  readonly every?: number;
}

// A filtered page may hold nothing while later ones do; so many are looked at by themselves.
const MOST_EMPTY_PAGES = 10;

/** A listing, page by page; below 1100 px its rows are cards. */
export function Listing<T>({ caption, load, deps = [], columns, keyOf, empty, every }: ListingProps<T>) {
  const [later, setLater] = useState<PageOf<T> | null>(null);
  const [more, setMore] = useState<{ busy: boolean; error: string | null }>(NOT_BUSY);
  const generation = useRef(0);

  const first = usePolling<PageOf<T>>((signal) => filled(load, undefined, signal), every ?? null, deps);
  useEffect(() => {
    generation.current += 1;
    setLater(null);
    setMore(NOT_BUSY);
  }, deps);

  const cursor = later ? later.cursor : (first.value?.cursor ?? null);
  const rows = first.value ? merged(first.value.rows, later?.rows ?? [], keyOf) : [];

  const goOn = useCallback(async () => {
    if (more.busy || cursor === null) return;
    const asked = generation.current;
    setMore({ busy: true, error: null });
    try {
      const page = await filled(load, cursor, new AbortController().signal);
      if (asked !== generation.current) return;
      // What the first page holds by now must not fall out when it is read again.
      const before = later ? later.rows : (first.value?.rows ?? []);
      setLater({ rows: [...before, ...page.rows], cursor: page.cursor });
      setMore(NOT_BUSY);
      announce(`${page.rows.length} more`);
    } catch (error) {
      if (asked !== generation.current || error instanceof SignedOut) return;
      setMore({ busy: false, error: message(error) });
    }
  }, [cursor, later, first.value, more.busy, load]);

  if (first.value === undefined) {
    return first.error !== null ? (
      <Failure text={first.error} onRetry={first.reload} />
    ) : (
      <p class="quiet" role="status">
        Loading…
      </p>
    );
  }
  return (
    <div class="listing" aria-busy={first.loading || more.busy}>
      {first.error !== null && <Failure text={first.error} onRetry={first.reload} />}
      {rows.length === 0 ? (
        <p class="empty">{empty}</p>
      ) : (
        <Rows caption={caption} columns={columns} rows={rows} keyOf={keyOf} />
      )}
      {more.error !== null && <Failure text={more.error} />}
      {cursor !== null && (
        <button type="button" aria-disabled={more.busy} onClick={() => void goOn()}>
          {more.busy ? "Loading…" : rows.length === 0 ? "Look further" : "More"}
        </button>
      )}
      {every !== undefined && <Updated at={first.updatedAt} loading={first.loading} />}
    </div>
  );
}

interface RowsProps<T> {
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string | number;
}

/** A table; below 1100 px its rows are cards. */
export function Rows<T>({ caption, columns, rows, keyOf }: RowsProps<T>) {
  // Roles are stated because a table that is laid out as cards would lose its own.
  return (
    <table role="table">
      <caption class="unseen">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th key={column.title} role="columnheader" scope="col" class={column.number ? "number" : undefined}>
              {column.title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={keyOf(row)} role="row">
            {columns.map((column) => (
              <td key={column.title} role="cell" data-title={column.title} class={column.number ? "number" : undefined}>
                <div>{column.cell(row)}</div>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const NOT_BUSY = { busy: false, error: null };

async function filled<T>(
  load: ListingProps<T>["load"],
  from: string | undefined,
  signal: AbortSignal,
): Promise<PageOf<T>> {
  let page = await load(from, signal);
  for (let looked = 1; page.rows.length === 0 && page.cursor !== null && looked < MOST_EMPTY_PAGES; looked += 1) {
    page = await load(page.cursor, signal);
  }
  return page;
}

function merged<T>(first: readonly T[], later: readonly T[], keyOf: (row: T) => string | number): readonly T[] {
  const newer = new Set(first.map(keyOf));
  return [...first, ...later.filter((row) => !newer.has(keyOf(row)))];
}
