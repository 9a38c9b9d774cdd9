/** What a partner calls our countries, operators and services: as a table, as files, and as the API has it. */

import { type Schemas, api } from "./api";
import { CsvError, recordsOf, writeRecord } from "./csv";
import { count } from "./figures";
import { ApiError, parsed } from "./http";

export type Names = Schemas["NamesView"];
export type Unmapped = Names["unmapped"];
type Lacking = Schemas["PreviewView"]["unmapped"];

export const KINDS = ["country", "operator", "service"] as const;
export type Kind = (typeof KINDS)[number];

/** A name of ours and theirs for it: "" while it has none. */
export interface Entry {
  readonly kind: Kind;
  /** Our name of an operator's country; "" for others. */
  readonly country: string;
  /** `*`: all operators of the country that have no entry. */
  readonly ours: string;
  readonly theirs: string;
}

/** What a file holds. */
export interface NamesFile {
  readonly entries: readonly Entry[];
  readonly unmapped: Unmapped;
}

/** What the API refused, at an entry if it named one. */
export class NamesRefused extends Error {
  readonly entry: Entry;

  constructor(entry: Entry, expected: string) {
    // A name keeps its first letter as it is.
    super(`${expected.replace(/^expected/, "Expected")}.`);
    this.entry = entry;
  }
}

const COLUMNS = ["kind", "country", "ours", "theirs"] as const;
// The API takes no more.
const MAX_NAMES = 5_000;
// How the API names what is wrong.
const WRONG_ROW = /^row (\d+): (.+)$/s;
const WRONG_SERVICE = /^services\.([\w.-]+): (.+)$/s;

/** Return names as a table, countries first. */
export function entriesOf({ countries, operators, services }: Names): readonly Entry[] {
  const entries = (kind: Kind, names: Readonly<Record<string, string>>, country = "") =>
    Object.entries(names).map(([ours, theirs]) => ({ kind, country, ours, theirs }));
  return [
    ...entries("country", countries),
    ...Object.entries(operators).flatMap(([country, names]) => entries("operator", names, country)),
    ...entries("service", services),
  ];
}

/** Return what is on sale and has no entry, as entries without their name. */
export function lackingEntries({ countries, operators, services }: Lacking): readonly Entry[] {
  const entries = (kind: Kind, names: readonly string[], country = "") =>
    names.map((ours) => ({ kind, country, ours, theirs: "" }));
  return [
    ...entries("country", countries),
    ...Object.entries(operators).flatMap(([country, names]) => entries("operator", names, country)),
    ...entries("service", services),
  ];
}

/** Return what tells an entry apart: no two of a partner have the same. */
export function keyOf({ kind, country, ours }: Entry): string {
  return JSON.stringify([kind, kind === "operator" ? country.trim() : "", ours.trim()]);
}

/** Let a partner's names be these, and no others. Throws NamesRefused, ApiError. */
export async function replaceNames(partnerId: string, entries: readonly Entry[], unmapped: Unmapped): Promise<Names> {
  const keys = new Set<string>();
  // From the last one on: new ones come first, and are the ones to correct.
  for (const entry of [...entries].reverse()) {
    if (!entry.ours.trim()) throw new NamesRefused(entry, "Enter our name");
    if (keys.has(keyOf(entry))) throw new NamesRefused(entry, "There is another entry for this name of ours");
    keys.add(keyOf(entry));
  }
  if (entries.length > MAX_NAMES) {
    throw new ApiError(413, `At most ${count(MAX_NAMES)} names; these are ${count(entries.length)}.`);
  }
  // As CSV: of that the API names the row that it refuses.
  const rows = [...entries.map(cellsOf), ["unmapped", "", "", unmapped]];
  const csv = [[...COLUMNS], ...rows].map((cells) => `${cells.map(quoted).join(",")}\n`).join("");
  try {
    return await api.put("/admin/partners/{partnerId}/names", { path: { partnerId }, csv });
  } catch (error) {
    throw refused(error, entries);
  }
}

function refused(error: unknown, entries: readonly Entry[]): unknown {
  if (!(error instanceof ApiError)) return error;
  const [, row, wrong] = WRONG_ROW.exec(error.message) ?? [];
  const [, code, clash] = WRONG_SERVICE.exec(error.message) ?? [];
  const entry =
    row !== undefined
      ? entries[Number(row) - 1]
      : entries.find(({ kind, ours }) => kind === "service" && ours.trim() === code);
  return entry === undefined ? error : new NamesRefused(entry, wrong ?? clash ?? "");
}

// ---------------------------------------------------------------- files

/** Read a file of names, JSON or CSV. Throws CsvError. */
export async function readNames(file: Blob): Promise<NamesFile> {
  const start = (await file.slice(0, 1_024).text()).trimStart();
  return start.startsWith("{") ? ofJson(parsed(await file.text())) : await ofCsv(file);
}

/** Return names as a CSV file that `readNames` reads. */
export function asCsv(entries: readonly Entry[], unmapped: Unmapped): Blob {
  const rows = [[...COLUMNS], ...entries.map(cellsOf), ["unmapped", "", "", unmapped]];
  // By the byte-order mark a spreadsheet knows that it is UTF-8.
  return new Blob(["\uFEFF", ...rows.map((cells) => `${writeRecord(cells)}\r\n`)], { type: "text/csv;charset=utf-8" });
}

/** Return names as a JSON file, as the API has them. */
export function asJson(entries: readonly Entry[], unmapped: Unmapped): Blob {
  const named = (found: readonly Entry[]) => Object.fromEntries(found.map(({ ours, theirs }) => [ours, theirs]));
  const of = (kind: Kind) => entries.filter((entry) => entry.kind === kind);
  const countries = [...new Set(of("operator").map(({ country }) => country))];
  const names: Names = {
    countries: named(of("country")),
    operators: Object.fromEntries(
      countries.map((country) => [country, named(of("operator").filter((entry) => entry.country === country))]),
    ),
    services: named(of("service")),
    unmapped,
  };
  return new Blob([`${JSON.stringify(names, null, 2)}\n`], { type: "application/json" });
}

function ofJson(content: unknown): NamesFile {
  const { countries = {}, operators = {}, services = {}, unmapped = "pass" } = (content ?? {}) as Partial<Names>;
  const maps = [countries, services, ...(isMap(operators) ? Object.values(operators) : [null])];
  const isWhole = maps.every((names) => isMap(names) && Object.values(names).every((name) => typeof name === "string"));
  if (!isWhole || (unmapped !== "pass" && unmapped !== "hide")) {
    throw new CsvError(
      "Expected a JSON object of countries, operators by country and services, each ours with theirs, and unmapped: pass or hide.",
    );
  }
  return { entries: entriesOf({ countries, operators, services, unmapped }), unmapped };
}

async function ofCsv(file: Blob): Promise<NamesFile> {
  const entries: Entry[] = [];
  let unmapped: Unmapped = "pass";
  let places: readonly number[] | undefined;
  let row = 0;
  for await (const records of recordsOf(file)) {
    for (const { cells } of records) {
      if (places === undefined) {
        places = placesOf(cells);
        continue;
      }
      row += 1;
      const at = `Row ${count(row)}`;
      if (cells.length !== COLUMNS.length) throw new CsvError(`${at}: expected ${COLUMNS.length} cells.`);
      const [kind = "", country = "", ours = "", theirs = ""] = places.map((place) => unguarded(cells[place] ?? ""));
      const word = kind.trim().toLowerCase();
      if (word === "unmapped") unmapped = unmappedIn(theirs, at);
      else if (isKind(word)) entries.push({ kind: word, country, ours, theirs });
      else throw new CsvError(`${at}: expected a country, operator or service, or unmapped.`);
    }
  }
  if (places === undefined) throw new CsvError("The file is empty.");
  return { entries, unmapped };
}

function placesOf(header: readonly string[]): readonly number[] {
  const names = header.map((cell) => cell.replace("\uFEFF", "").trim().toLowerCase());
  const places = COLUMNS.map((column) => names.indexOf(column));
  if (names.length === COLUMNS.length && !places.includes(-1)) return places;
  throw new CsvError(`Header: expected the columns ${COLUMNS.join(", ")}, with commas, semicolons or tabs.`);
}

function unmappedIn(cell: string, at: string): Unmapped {
  const word = cell.trim().toLowerCase();
  if (word === "pass" || word === "hide") return word;
  throw new CsvError(`${at}: expected pass or hide for theirs.`);
}

function isKind(word: string): word is Kind {
  return (KINDS as readonly string[]).includes(word);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function cellsOf({ kind, country, ours, theirs }: Entry): readonly string[] {
  return [kind, kind === "operator" ? country : "", ours, theirs];
}

function quoted(cell: string): string {
  return `"${cell.replaceAll('"', '""')}"`;
}

/** Return a cell without what keeps spreadsheets from taking it for a formula. */
function unguarded(cell: string): string {
  return cell.replace(/^'(?=[=+\-@])/, "");
}
