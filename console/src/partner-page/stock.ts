/** What GET_SERVICES said last: names and counts, by country, operator and service. */

import type { Exchange } from "../partner-calls";
import { partnerCall } from "../partner-calls";
import { Store } from "../store";

export interface Country {
  readonly country: string;
  readonly operatorMap: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export const stock = new Store<readonly Country[]>([]);

/** Read it with a key. Throws CallRefused, ApiError. */
export async function readStock(key: string): Promise<Exchange> {
  const [answer, exchange] = await partnerCall(key, "GET_SERVICES", {});
  stock.set((answer as { countryList: readonly Country[] }).countryList);
  return exchange;
}

/** Return the services that are listed, each once. */
export function servicesOf(countries: readonly Country[]): readonly string[] {
  const codes = countries.flatMap(({ operatorMap }) => Object.values(operatorMap).flatMap(Object.keys));
  return [...new Set(codes)].sort();
}
