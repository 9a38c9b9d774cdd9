/** Which page is shown: the part of the address after #, as `#/partners/abc?tab=sales`. */

import { Store } from "./store";

export interface Place {
  /** As it stands in the address, decoded: `["partners", "abc"]`. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

export const START = "/overview";

export const place = new Store<Place>(read(location.hash));

addEventListener("hashchange", () => place.set(read(location.hash)));

/** The link to a page: `hrefTo("partners", id)`. Parts may hold anything. */
export function hrefTo(...parts: (string | number)[]): string {
  return `#/${parts.map((part) => encodeURIComponent(String(part))).join("/")}`;
}

/** Go to a page. */
export function goTo(...parts: (string | number)[]): void {
  location.hash = hrefTo(...parts);
}

/** Match a pattern as `/partners/:partnerId`: gives its parameters, null when the place is another. */
export function match(pattern: string, at: Place): Readonly<Record<string, string>> | null {
  const wanted = pattern.split("/").filter(Boolean);
  if (wanted.length !== at.parts.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const found = at.parts[index] ?? "";
    if (part.startsWith(":")) params[part.slice(1)] = found;
    else if (part !== found) return null;
  }
  return params;
}

function read(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  const parts = (path && path !== "/" ? path : START).split("/").filter(Boolean);
  return { parts: parts.map(decoded), query: new URLSearchParams(query) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // Typed by hand and no valid encoding: it is no page of ours.
    return part;
  }
}
