// The names of partners, for pages that know their ids: read page by page, no further than needed.

import { useEffect } from "preact/hooks";
import { api } from "../api";
import { useData } from "../data";
import { Store, useStore } from "../store";

interface PartnerNames {
  /** By partner id, in the order in which they were read. */
  readonly names: ReadonlyMap<string, string>;
  /** Where the next page starts; null at the end, undefined before the first. */
  readonly cursor: string | null | undefined;
}

// More names than these are read only on request; other partners go by their ids.
const MAX_NAMES = 500;

const known = new Store<PartnerNames>({ names: new Map(), cursor: undefined });

let reading: Promise<void> | null = null;

/** Return the names that are known, and look for those of `ids`. */
export function usePartnerNames(ids: readonly string[]): PartnerNames {
  const { names, cursor } = useStore(known);
  const lacking = names.size < MAX_NAMES && ids.some((id) => !names.has(id));
  const wanted = cursor === undefined || (cursor !== null && lacking);
  useEffect(() => {
    // On failure ids are shown, and the next read of the list asks again.
    if (wanted) morePartners().catch(() => undefined);
  }, [wanted, names, ids.join()]);
  return { names, cursor };
}

/** Read another page of names. Throws ApiError. */
export function morePartners(): Promise<void> {
  reading ??= read().finally(() => {
    reading = null;
  });
  return reading;
}

/** Start over with the first page: names may have changed. */
export function forgetPartnerNames(): void {
  known.set({ ...known.value, cursor: undefined });
}

/** Return the name of one partner, its id until that was read. */
export function usePartnerName(partnerId: string): string {
  const { value } = useData(
    (signal) => api.get("/admin/partners/{partnerId}", { path: { partnerId }, signal }),
    [partnerId],
  );
  return value?.name ?? partnerId;
}

async function read(): Promise<void> {
  const { cursor } = known.value;
  if (cursor === null) return;
  const page = await api.get("/admin/partners", { query: { cursor } });
  const found = page.partners.map((partner) => [partner.partnerId, partner.name] as const);
  known.set({ names: new Map([...known.value.names, ...found]), cursor: page.cursor });
}
