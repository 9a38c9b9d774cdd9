import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { usePolling } from "../data";
import { message } from "../errors";
import { SignedOut } from "../session";
import { announce } from "./announce";
import { Failure, Loaded, UpdatedAt } from "./status";

interface PageOf<T> {
  readonly rows: readonly T[];
  /** Where the next page begins, null at the end. */
  readonly cursor: string | null;
}

export interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => ComponentChildren;
  /** Whether its cells are figures, aligned to the right. */
  readonly number?: boolean;
}

interface PagesProps<T> {
  readonly load: (cursor: string | undefined, signal: AbortSignal) => Promise<PageOf<T>>;
  /** The listing starts over when one of these changes: filters, a count of changes made. */
  readonly deps?: readonly unknown[];
  readonly keyOf: (row: T) => string | number;
  /** Shown when there are no rows. */
  readonly empty: ComponentChildren;
  /** Refresh the first page every so many seconds; for listings with the newest first. */
  readonly every?: number;
}

interface TableProps<T> {
  /** The table's name for screen readers. */
  readonly caption: string;
  readonly columns: readonly Column<T>[];
}

interface CardsProps<T> {
  /** Shows rows that no table could. */
  readonly cards: (rows: readonly T[]) => ComponentChildren;
}

type ListingProps<T> = PagesProps<T> & (TableProps<T> | CardsProps<T>);

// A filtered page may be empty while later ones are not; so many are skipped without asking.
const MAX_EMPTY_PAGES = 10;

/** A listing, page by page, as a table or as cards. */
export function Listing<T>(props: ListingProps<T>) {
  const { load, deps = [], keyOf, empty, every } = props;
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

  const loadMore = useCallback(async () => {
    if (more.busy || cursor === null) return;
    const asked = generation.current;
    setMore({ busy: true, error: null });
    try {
      const page = await filled(load, cursor, new AbortController().signal);
      if (asked !== generation.current) return;
      // Rows of the first page must not vanish when it is read again.
      const before = later ? later.rows : (first.value?.rows ?? []);
      setLater({ rows: [...before, ...page.rows], cursor: page.cursor });
      setMore(NOT_BUSY);
      announce(`${page.rows.length} more`);
    } catch (error) {
      if (asked !== generation.current || error instanceof SignedOut) return;
      setMore({ busy: false, error: message(error) });
    }
  }, [cursor, later, first.value, more.busy, load]);

  return (
    <div class="listing" aria-busy={first.loading || more.busy}>
      <Loaded data={first}>
        {() => (
          <>
            {rows.length === 0 ? (
              <p class="empty">{empty}</p>
            ) : "cards" in props ? (
              props.cards(rows)
            ) : (
              <Rows caption={props.caption} columns={props.columns} rows={rows} keyOf={keyOf} />
            )}
            {more.error !== null && <Failure text={more.error} />}
            {cursor !== null && (
              <button type="button" aria-disabled={more.busy} onClick={() => void loadMore()}>
                {more.busy ? "Loading…" : rows.length === 0 ? "Keep looking" : "More"}
              </button>
            )}
            {every !== undefined && <UpdatedAt at={first.updatedAt} loading={first.loading} />}
          </>
        )}
      </Loaded>
    </div>
  );
}

interface RowsProps<T> extends TableProps<T> {
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string | number;
}

/** A table; below 1100 px its rows are cards. */
export function Rows<T>({ caption, columns, rows, keyOf }: RowsProps<T>) {
  // Laid out as cards, a table would lose its roles.
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
  load: PagesProps<T>["load"],
  from: string | undefined,
  signal: AbortSignal,
): Promise<PageOf<T>> {
  let page = await load(from, signal);
  for (let looked = 1; page.rows.length === 0 && page.cursor !== null && looked < MAX_EMPTY_PAGES; looked += 1) {
    page = await load(page.cursor, signal);
  }
  return page;
}

function merged<T>(first: readonly T[], later: readonly T[], keyOf: (row: T) => string | number): readonly T[] {
  const newer = new Set(first.map(keyOf));
  return [...first, ...later.filter((row) => !newer.has(keyOf(row)))];
}
