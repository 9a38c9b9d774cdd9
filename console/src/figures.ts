/** Numbers as people read them. */

const WHOLE = new Intl.NumberFormat("en-GB");
const SHARE = new Intl.NumberFormat("en-GB", { style: "percent", maximumFractionDigits: 1 });

export function count(number: number): string {
  return WHOLE.format(number);
}

/** Return "1 row", "2 rows". */
export function plural(number: number, one: string): string {
  return `${count(number)} ${one}${number === 1 ? "" : "s"}`;
}

/** Return a part as a percentage, a dash when the whole is 0. */
export function share(part: number, whole: number): string {
  return whole === 0 ? "–" : SHARE.format(part / whole);
}

/** Steps of an axis of whole numbers. */
export const WHOLE_STEPS: readonly number[] = Array.from({ length: 10 }, (_, power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
).flat();

/** Units of time (ms), each with how many of it make up the next one. */
const UNITS = [
  ["ms", 1, 1_000],
  ["s", 1_000, 60],
  ["min", 60_000, 60],
  ["h", 3_600_000, 48],
  ["days", 86_400_000, Infinity],
] as const;

/** Steps of an axis of time (ms) whose every label is exact, as `duration` writes it: of each up to five are shown. */
export const DURATION_STEPS: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 30].map((seconds) => seconds * 1_000),
  ...[1, 2, 5, 10, 30].map((minutes) => minutes * 60_000),
  ...[1, 2, 5, 12].map((hours) => hours * 3_600_000),
  ...[1, 2, 5, 10, 20, 50, 100].map((days) => days * 86_400_000),
];

/** Return a duration (ms), rounded, in the largest unit that fits. */
export function duration(ms: number): string {
  for (const [unit, length, most] of UNITS) {
    const rounded = twoDigits(ms / length);
    if (rounded < most) return `${WHOLE.format(rounded)} ${unit}`;
  }
  return "–";
}

/** Round to two digits, or to a whole number if it has more. */
function twoDigits(value: number): number {
  return value < 10 ? Math.round(value * 10) / 10 : Math.round(value);
}
