/** The switches of dialects, in words, and those that a partner may have otherwise. */

import type { Schemas } from "../../api";
import { count } from "../../figures";

export type DialectView = Schemas["DialectView"];
export type Switches = Schemas["SwitchesView"];
export type Overrides = Schemas["Overrides"];

interface Switch {
  /** As the API names it. */
  readonly name: string;
  readonly label: string;
  readonly inWords: (switches: Switches) => string;
}

const SWITCHES: readonly Switch[] = [
  { name: "types.number", label: "number of GET_NUMBER", inWords: ({ types }) => spelled(types.number) },
  { name: "types.phone", label: "phone of an SMS", inWords: ({ types }) => spelled(types.phone) },
  { name: "types.smsId", label: "smsId of an SMS", inWords: ({ types }) => spelled(types.smsId) },
  { name: "numberExtras", label: "Further fields of GET_NUMBER", inWords: ({ numberExtras }) => constants(numberExtras) },
  { name: "errorFields", label: "Text of an error in", inWords: ({ errorFields }) => errorFields.join(" and ") },
  {
    name: "errorHttp",
    label: "HTTP status of an error",
    inWords: ({ errorHttp }) => (errorHttp === "mapped" ? "Each has its own" : String(errorHttp)),
  },
  {
    name: "gzipFrom",
    label: "Answers are gzipped from",
    inWords: ({ gzipFrom }) => (gzipFrom === 0 ? "The first byte" : `${count(gzipFrom)} bytes`),
  },
  { name: "counts", label: "Counts", inWords: ({ counts }) => pairs(counts, (action, form) => `${action}: ${form}`) },
  { name: "any", label: "Operators in counts", inWords: ({ any }) => LISTED[any] },
  {
    name: "hold",
    label: "An activation ends",
    inWords: ({ hold }) => (hold === "lease" ? "With its lease, at the latest" : "When it is finished, or after the longest hold"),
  },
  {
    name: "outcomes",
    label: "Codes of FINISH_ACTIVATION",
    inWords: ({ outcomes }) => pairs(outcomes, (code, as) => (code === String(as) ? code : `${code} (as ${as})`)),
  },
  {
    name: "cancelLimit",
    label: "Cancels that end a service for a number",
    inWords: ({ cancelLimit }) => (cancelLimit === null ? "As of deployment and service" : count(cancelLimit)),
  },
  { name: "pushExtras", label: "Further fields of pushes", inWords: ({ pushExtras }) => constants(pushExtras) },
  {
    name: "pushDone",
    label: "A push is taken by",
    inWords: ({ pushDone }) => (pushDone === "body" ? "HTTP 2xx and SUCCESS in the body" : "HTTP 200, whatever the body"),
  },
  {
    name: "pushStopWords",
    label: "Words that end a push",
    inWords: ({ pushStopWords }) => pushStopWords.join(", ") || "None",
  },
  {
    name: "pushAuthorization",
    label: "Authorization of pushes",
    inWords: ({ pushAuthorization }) => (pushAuthorization === "none" ? "None" : "Bearer and the key"),
  },
  {
    name: "pushAcceptGzip",
    label: "Answers to pushes may be gzipped",
    inWords: ({ pushAcceptGzip }) => (pushAcceptGzip ? "Yes" : "No"),
  },
  { name: "pushGzip", label: "Pushes are gzipped", inWords: ({ pushGzip }) => (pushGzip ? "Yes" : "No") },
];

const LISTED: Readonly<Record<Switches["any"], string>> = {
  split: "Each",
  "split+any": "any and each",
  any: "any alone",
};

/** What each switch that a partner may have otherwise can be; null for a number to type. */
const VALUES = {
  "types.number": ["string", "number"],
  "types.phone": ["string", "number"],
  "types.smsId": ["string", "number"],
  errorFields: ["message", "error", "message,error"],
  errorHttp: ["mapped", "200"],
  gzipFrom: null,
  pushDone: ["body", "http200"],
} as const;

export type OverrideName = keyof typeof VALUES;

export const OVERRIDE_NAMES = Object.keys(VALUES) as readonly OverrideName[];

/** What a partner has otherwise, as a form has it: "" for what its dialect says. */
export type Chosen = Readonly<Record<OverrideName, string>>;

export const NOTHING_CHOSEN = Object.fromEntries(OVERRIDE_NAMES.map((name) => [name, ""])) as Chosen;

/** Return overrides as a form has them. */
export function chosenOf({ types, errorFields, errorHttp, gzipFrom, pushDone }: Overrides): Chosen {
  return {
    "types.number": types?.number ?? "",
    "types.phone": types?.phone ?? "",
    "types.smsId": types?.smsId ?? "",
    // In either order it is the same.
    errorFields: [...(errorFields ?? [])].sort().reverse().join(","),
    errorHttp: String(errorHttp ?? ""),
    gzipFrom: String(gzipFrom ?? ""),
    pushDone: pushDone ?? "",
  };
}

/** Return what was chosen as the API takes it, null for nothing. */
export function overridesOf(chosen: Chosen): Overrides | null {
  const types = given({
    number: chosen["types.number"],
    phone: chosen["types.phone"],
    smsId: chosen["types.smsId"],
  });
  const overrides = {
    ...(Object.keys(types).length && { types }),
    ...given({ pushDone: chosen.pushDone }),
    ...(chosen.errorFields && { errorFields: chosen.errorFields.split(",") }),
    ...(chosen.errorHttp && { errorHttp: chosen.errorHttp === "200" ? 200 : chosen.errorHttp }),
    ...(chosen.gzipFrom.trim() && { gzipFrom: Number(chosen.gzipFrom) }),
  } as Overrides;
  return Object.keys(overrides).length ? overrides : null;
}

/** Return the switches of a dialect with what a partner has otherwise. */
export function applied(switches: Switches, overrides: Overrides): Switches {
  return { ...switches, ...overrides, types: { ...switches.types, ...overrides.types } } as Switches;
}

/** Return what a switch is called in words. */
export function labelOf(name: string): string {
  return SWITCHES.find((one) => one.name === name)?.label ?? name;
}

/** Return the value of a switch in words. */
export function valueOf(name: OverrideName, switches: Switches): string {
  return SWITCHES.find((one) => one.name === name)?.inWords(switches) ?? "";
}

/** Return what a switch may be, each with its words; null for a number to type. */
export function choicesOf(name: OverrideName, switches: Switches): readonly (readonly [string, string])[] | null {
  const values: readonly string[] | null = VALUES[name];
  return values && values.map((value) => {
    const overrides = overridesOf({ ...NOTHING_CHOSEN, [name]: value });
    return [value, valueOf(name, applied(switches, overrides ?? {}))] as const;
  });
}

/** A switch of a dialect beside what a partner has. */
export interface Compared {
  readonly name: string;
  readonly label: string;
  readonly dialect: string;
  readonly partner: string;
}

/** Return all switches in words: as the dialect has them, and as the partner does. */
export function compared(dialect: Switches, overrides: Overrides): readonly Compared[] {
  const mine = applied(dialect, overrides);
  const named = new Set(SWITCHES.map(({ name }) => name.split(".")[0]));
  // A switch that has no words here yet is shown as it is.
  const others = Object.keys(dialect).filter((name) => !named.has(name));
  return [
    ...SWITCHES.map(({ name, label, inWords }) => ({ name, label, dialect: inWords(dialect), partner: inWords(mine) })),
    ...others.map((name) => {
      const shown = JSON.stringify((dialect as unknown as Record<string, unknown>)[name]);
      return { name, label: name, dialect: shown, partner: shown };
    }),
  ];
}

/** Return overrides in words, for the dialect that they are of. */
export function overridesInWords(chosen: Chosen): string {
  const set = OVERRIDE_NAMES.filter((name) => chosen[name] !== "");
  return set.map((name) => `${labelOf(name)}: ${chosen[name].replace(",", " and ")}`).join("; ") || "None";
}

function given(fields: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));
}

function spelled(type: "string" | "number"): string {
  return type === "string" ? "JSON string" : "JSON number";
}

function constants(fields: Readonly<Record<string, unknown>>): string {
  return pairs(fields, (name, value) => `${name} ${JSON.stringify(value)}`) || "None";
}

function pairs<V>(of: Readonly<Record<string, V>>, inWords: (name: string, value: V) => string): string {
  return Object.entries(of)
    .map(([name, value]) => inWords(name, value))
    .join(", ");
}
