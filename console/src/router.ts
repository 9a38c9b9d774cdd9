/** Which page is shown, by the part of the address after #: `#/activations?state=live`. */

import { Store } from "./store";

export interface Place {
  /** Decoded: `["partners", "abc"]`. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

const START = "/overview";

export const place = new Store<Place>(read(location.hash));

addEventListener("hashchange", () => place.set(read(location.hash)));

/** Return the place that the address says now: `place` follows a moment later. */
export function placeNow(): Place {
  return read(location.hash);
}

/** Return the link to a page: `hrefTo("partners", id)`. Parts may hold any characters. */
export function hrefTo(...parts: (string | number)[]): string {
  return `#/${parts.map((part) => encodeURIComponent(String(part))).join("/")}`;
}

export function goTo(...parts: (string | number)[]): void {
  location.hash = hrefTo(...parts);
}

/** Return the parameters of a pattern such as `/partners/:partnerId`, null when the place does not match. */
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
    // Typed by hand, and not validly encoded: no page matches.
    return part;
  }
}
