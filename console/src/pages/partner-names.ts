// The names of partners, for pages that know their ids. Read page by page, no further than needed.

import { useEffect } from "preact/hooks";
import { api } from "../api";
import { useData } from "../data";
import { Store, useStore } from "../store";

interface Known {
  /** Names by partner id, in the order in which they were read. */
  readonly names: ReadonlyMap<string, string>;
  /** Where the next page begins; null at the end, undefined before the first. */
  readonly cursor: string | null | undefined;
}

// Beyond so many names more are read only when the operator asks for them; partners then go by their ids.
const MOST = 500;

const known = new Store<Known>({ names: new Map(), cursor: undefined });

let reading: Promise<void> | null = null;

/** Give the names that are known, and have those of `ids` found; a partner without a name yet goes by its id. */
export function usePartnerNames(ids: readonly string[]): Known {
  const { names, cursor } = useStore(known);
  const lacking = names.size < MOST && ids.some((id) => !names.has(id));
  const wanted = cursor === undefined || (cursor !== null && lacking);
  useEffect(() => {
    // A failure is no matter: ids are shown, and the next reading of the list asks again.
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

/** Begin again with the first page when names are wanted next: they may have been changed. */
export function readPartnersAnew(): void {
  known.set({ ...known.value, cursor: undefined });
}

/** Give the name of one partner, its id until that was read. */
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
