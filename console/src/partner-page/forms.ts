/** The forms that a partner's requests, answers and pushes have, as the exchange of its link and /partner/forms give them. */

/** What is a partner's own, of what hubs have otherwise; by the names of contract 1.9. */
interface Switches {
  readonly types: Readonly<Record<"number" | "phone" | "smsId", "string" | "number">>;
  readonly numberExtras: Readonly<Record<string, unknown>>;
  readonly pushExtras: Readonly<Record<string, unknown>>;
  readonly errorFields: readonly string[];
  readonly errorHttp: "mapped" | 200;
  readonly gzipFrom: number;
  readonly counts: Readonly<Record<string, "countryList" | "countMap">>;
  readonly any: "split" | "split+any" | "any";
  readonly cancelLimit: number | null;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly pushDone: "body" | "http200";
  readonly pushStopWords: readonly string[];
  readonly pushAuthorization: "none" | "bearer";
  readonly pushAcceptGzip: boolean;
  readonly pushGzip: boolean;
  readonly hold: "lease" | "finish";
}

export interface Forms {
  /** What the dialect is called. */
  readonly title: string;
  readonly switches: Switches;
  readonly examples: {
    /** The answer to each action that asks for counts. */
    readonly counts: Readonly<Record<string, unknown>>;
    readonly number: unknown;
    readonly messages: unknown;
    readonly error: unknown;
    readonly push: unknown;
    readonly pushHeaders: Readonly<Record<string, string>>;
  };
}

/** What a partner calls countries, operators by country and services; what is not among them it calls as we do, or is not offered. */
export interface Names {
  readonly countries: readonly string[];
  readonly operators: Readonly<Record<string, readonly string[]>>;
  readonly services: readonly string[];
  readonly unmapped: "pass" | "hide";
}

/** What is said of a partner's forms: about what, and in which words; those between backticks are code. */
export type Saying = readonly [about: string, words: string];

const MEANINGS: Readonly<Record<number, string>> = { 1: "Prohibited", 3: "Success", 4: "Canceled", 5: "Returned" };
const LISTED: Readonly<Record<Switches["any"], string>> = {
  split: "They list each operator of a country.",
  "split+any": "They list each operator of a country, and `any`, the sum of all.",
  any: "They list `any` alone: the sum of all operators of a country.",
};

/** Return a partner's forms in words. */
export function inWords(forms: Forms): readonly Saying[] {
  const { types, numberExtras, gzipFrom, counts, any, cancelLimit, outcomes, hold } = forms.switches;
  const actions = Object.entries(counts).map(([action, form]) => `\`${action}\` answers with a \`${form}\``);
  return [
    ["Types", `In JSON, \`number\` of GET_NUMBER is a ${types.number}, \`phone\` of an SMS a ${types.phone}, \`smsId\` a ${types.smsId}.`],
    ["Counts", `${actions.join(", ")}. ${LISTED[any]}`],
    ["GET_NUMBER", `Its answer has ${constants(numberExtras)} further fields${values(numberExtras)}.`],
    ["Activations", HOLDS[hold]],
    ["FINISH_ACTIVATION", `Its \`status\` is ${Object.keys(outcomes).join(", ")}. ${extraCodes(outcomes)}`.trim()],
    ...(cancelLimit === null
      ? []
      : ([["Canceled", `After ${cancelLimit} cancels a number is no longer sold for the service.`]] as const)),
    ["Errors", errors(forms)],
    ["gzip", `Answers are packed ${gzipFrom === 0 ? "always" : `from ${gzipFrom} bytes on`}, if your request accepts \`gzip\`.`],
    ["Pushes", pushes(forms)],
    ["A push is taken", taken(forms)],
  ];
}

const HOLDS: Readonly<Record<"lease" | "finish", string>> = {
  lease: "One ends with its lease, or when you finish it.",
  finish: "One lives until you finish it: always do.",
};

/** Return how errors are told. */
export function errors({ switches: { errorFields, errorHttp } }: Forms): string {
  const fields = errorFields.map((field) => `\`${field}\``).join(" and ");
  const status =
    errorHttp === 200
      ? "Each has HTTP 200: go by `status`. Only a wrong key is HTTP 401, with the text in `message`."
      : "Each has the HTTP status of the table below: go by that.";
  return `The text is in ${fields}. ${status}`;
}

/** Return which answer takes a push, and what else ends it. */
export function taken({ switches: { pushDone, pushStopWords } }: Forms): string {
  const done =
    pushDone === "http200"
      ? "HTTP 200 says that you have stored the SMS, whatever the body."
      : 'HTTP 200 with `{"status":"SUCCESS"}` in JSON says that you have stored the SMS.';
  const words = pushStopWords.map((word) => `\`${word}\``).join(", ");
  return words ? `${done} One of ${words} as a text in your answer ends the push for ever.` : done;
}

/** Return what is said of codes that stand for others, nothing if there are none. */
export function extraCodes(outcomes: Switches["outcomes"]): string {
  return Object.entries(outcomes)
    .filter(([code, as]) => code !== String(as))
    .map(([code, as]) => `\`${code}\` is the same as ${as} ${MEANINGS[as] ?? ""}.`)
    .join(" ");
}

/** Return the codes of FINISH_ACTIVATION that a page which knows the first four has not. */
export function codesOf(forms: Forms | null): readonly (readonly [number, string])[] {
  return Object.entries(forms?.switches.outcomes ?? {})
    .filter(([code, as]) => code !== String(as))
    .map(([code, as]) => [Number(code), `${code}: as ${as} ${MEANINGS[as] ?? ""}`] as const);
}

/** Return an example of the page in a partner's own forms, by what the page calls it; `usual` is what stands there else. */
export function example(name: string, { examples }: Forms, usual: string): string {
  const line = (one: unknown) => JSON.stringify(one);
  const rest = usual.trimEnd().split("\n");
  switch (name) {
    case "counts": {
      const answers = Object.entries(examples.counts);
      return answers.map(([action, one]) => (answers.length > 1 ? `${action}: ${line(one)}` : line(one))).join("\n");
    }
    case "number":
      return [line(examples.number), ...rest.slice(1)].join("\n");
    case "messages":
      return [line(examples.messages), ...rest.slice(1)].join("\n");
    case "error":
      return line(examples.error);
    case "push": {
      const headers = Object.entries(examples.pushHeaders).map(([header, value]) => `${header}: ${value}`);
      const signed = rest.slice(2, -1).map((one) => one.replace(/^(webhook-signature: v1,).*/, "$1…"));
      return [...rest.slice(0, 2), ...headers, ...signed, line(examples.push)].join("\n");
    }
    default:
      return usual;
  }
}

function pushes({ switches: { pushExtras, pushAuthorization, pushAcceptGzip, pushGzip } }: Forms): string {
  return [
    `A push has ${constants(pushExtras)} further fields${values(pushExtras)}.`,
    pushAuthorization === "bearer" ? "Its `Authorization` is `Bearer` and your key." : "",
    pushAcceptGzip ? "Your answer may be packed with gzip." : "",
    pushGzip ? "It is packed with gzip itself." : "",
  ]
    .filter(Boolean)
    .join(" ");
}

function constants(fields: Readonly<Record<string, unknown>>): string {
  return Object.keys(fields).length ? "these" : "no";
}

function values(fields: Readonly<Record<string, unknown>>): string {
  const named = Object.entries(fields).map(([name, value]) => `\`"${name}":${JSON.stringify(value)}\``);
  return named.length ? `: ${named.join(", ")}` : "";
}
