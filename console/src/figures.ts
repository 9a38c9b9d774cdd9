/** Numbers as operators read them. */

const WHOLE = new Intl.NumberFormat("en-GB");
const SHARE = new Intl.NumberFormat("en-GB", { style: "percent", maximumFractionDigits: 1 });
const SMALL = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 2 });

export function count(number: number): string {
  return WHOLE.format(number);
}

/** "1 row", "2 rows". */
export function plural(number: number, one: string): string {
  return `${count(number)} ${one}${number === 1 ? "" : "s"}`;
}

/** A part of a whole; a dash when there is no whole. */
export function share(part: number, whole: number): string {
  return whole === 0 ? "–" : SHARE.format(part / whole);
}

/** How long something took or waits (ms), in the largest unit that fits. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${SMALL.format(ms / 1_000)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.floor(ms / 3_600_000)} h`;
  return `${Math.floor(ms / 86_400_000)} days`;
}
