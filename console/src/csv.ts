/** CSV files, read piece by piece; records are the ones that the server's reader, Python's strict one, finds. */

/** What is wrong with a file; the message is for staff. */
export class CsvError extends Error {}

/** A record: its text without the line end, and its cells. */
export interface CsvRecord {
  readonly text: string;
  readonly cells: readonly string[];
}

/** A part of a file that can be sent: the header and some rows. */
export interface CsvPart {
  readonly number: number;
  readonly text: string;
  readonly rows: number;
  readonly records: readonly CsvRecord[];
}

/** What a file holds. */
export interface FileSummary {
  readonly rows: number;
  readonly parts: number;
  /** The pools of its rows, those with most rows first. */
  readonly pools: readonly PoolCount[];
}

/** A pool, by its names as the API keeps them, and how many rows are in it. */
export interface PoolCount {
  readonly country: string;
  readonly operator: string;
  readonly rows: number;
}

const COLUMNS: readonly string[] = ["phone", "country", "operator"];
// Half of what the API takes at once: even on a slow local stack a part is done within the gateway's 29 s.
const ROWS_AT_ONCE = 2_500;
// The API takes no more.
const MAX_PARTS = 200;

// The API takes 2 MiB at once; a character is 3 bytes at most here (4 for two of them).
const CHARACTERS_AT_ONCE = 600_000;
// No row of numbers is so long: a quote must be missing.
const LONGEST_RECORD = 50_000;
const SLICE_BYTES = 256 * 1024;

const DELIMITERS: Readonly<Record<string, string>> = { ",": "a comma", ";": "a semicolon", "\t": "a tab" };
// White space as Python has it, unlike that of trim(), and a byte-order mark.
const BLANK = /^[\s\x1c-\x1f\x85]*$/;
const COLUMN = /^[\s\x1c-\x1f\x85]*(phone|country|operator)[\s\x1c-\x1f\x85]*$/i;
const WHITE = /[\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;
// The first of these after the header's first name is the delimiter of the whole file.
const HEADER = /^[\s\x1c-\x1f\x85,;"]*[^,;\t\r\n]*([,;\t])?/;

/** Finds records in a text that comes in pieces, wherever it was cut. Blank records don't count. */
export class CsvReader {
  #rest = "";
  #found = 0;
  #delimiter: string | undefined;

  /** Return the records that end in this piece. Throws CsvError. */
  push(piece: string): CsvRecord[] {
    return this.#read(this.#rest + piece, false);
  }

  /** Return what is left at the end of the text. Throws CsvError. */
  end(): CsvRecord[] {
    return this.#read(this.#rest, true);
  }

  #read(text: string, last: boolean): CsvRecord[] {
    const records: CsvRecord[] = [];
    let at = 0;
    this.#delimiter ??= delimiterOf(text, last);
    while (this.#delimiter !== undefined && at < text.length) {
      const found = recordAt(text, at, this.#delimiter, last);
      if (found === "cut") break;
      if (typeof found === "string") throw new CsvError(`${this.#place()}: ${found}.`);
      at = found.next;
      if (found.record.cells.every((cell) => BLANK.test(cell))) continue;
      if (found.record.text.length > LONGEST_RECORD) throw this.#tooLong();
      records.push(found.record);
      this.#found += 1;
    }
    this.#rest = text.slice(at);
    if (this.#rest.length > LONGEST_RECORD) throw this.#tooLong();
    return records;
  }

  #tooLong(): CsvError {
    return new CsvError(`${this.#place()}: it is longer than ${LONGEST_RECORD} characters. Is a quote missing?`);
  }

  #place(): string {
    return this.#found === 0 ? "Header" : `Row ${this.#found}`;
  }
}

/** Yield a file's records, a slice of it at a time; the header is the first. Throws CsvError. */
export async function* recordsOf(file: Blob): AsyncGenerator<readonly CsvRecord[]> {
  const reader = new CsvReader();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let from = 0; from < file.size; from += SLICE_BYTES) {
    const bytes = await bytesOf(file.slice(from, from + SLICE_BYTES));
    yield reader.push(decoded(() => decoder.decode(bytes, { stream: true })));
  }
  yield [...reader.push(decoded(() => decoder.decode())), ...reader.end()];
}

/** Split a file into parts, each with the header; the same file gives the same parts. Throws CsvError. */
export async function* partsOf(file: Blob): AsyncGenerator<CsvPart> {
  let header: string | undefined;
  let records: CsvRecord[] = [];
  let length = 0;
  let number = 0;
  const part = (): CsvPart => {
    const text = `${[header, ...records.map((record) => record.text)].join("\n")}\n`;
    const made = { number: (number += 1), text, rows: records.length, records };
    records = [];
    length = 0;
    return made;
  };
  for await (const found of recordsOf(file)) {
    for (const record of found) {
      if (header === undefined) {
        header = record.text;
        continue;
      }
      if (records.length === ROWS_AT_ONCE || length + record.text.length > CHARACTERS_AT_ONCE) yield part();
      records.push(record);
      length += record.text.length + 1;
    }
  }
  if (records.length > 0) yield part();
}

/** Read a file to its end, before anything is sent. Throws CsvError when it can't be imported. */
export async function scan(file: Blob): Promise<FileSummary> {
  const columns = await checkedColumns(file);
  const [country, operator] = [columns.indexOf("country"), columns.indexOf("operator")];
  const pools = new Map<string, PoolCount>();
  let rows = 0;
  let parts = 0;
  for await (const part of partsOf(file)) {
    rows += part.rows;
    parts = part.number;
    for (const { cells } of part.records) {
      // The API rejects rows with more or fewer cells.
      if (cells.length !== columns.length) continue;
      const named = { country: folded(cells[country] ?? ""), operator: folded(cells[operator] ?? "") };
      const key = poolKey(named);
      pools.set(key, { ...named, rows: (pools.get(key)?.rows ?? 0) + 1 });
    }
    if (parts > MAX_PARTS) {
      throw new CsvError(`The file is too long: at most ${MAX_PARTS * ROWS_AT_ONCE} rows. Split it.`);
    }
  }
  if (rows === 0) throw new CsvError("The file has a header but no rows.");
  return { rows, parts, pools: [...pools.values()].sort((one, other) => other.rows - one.rows) };
}

/** Return a file's header. Throws CsvError. */
export async function headerOf(file: Blob): Promise<readonly string[]> {
  for await (const records of recordsOf(file)) {
    if (records[0]) return records[0].cells;
  }
  throw new CsvError("The file is empty.");
}

/** Return a record as a line that no spreadsheet takes for formulas. */
export function writeRecord(cells: readonly (string | number)[]): string {
  return cells.map((cell) => (typeof cell === "number" ? String(cell) : quoted(cell))).join(",");
}

/** Return a name as the API keeps it: NFC, trimmed, inner white space as single spaces. */
export function folded(name: string): string {
  return name.normalize("NFC").replace(WHITE, " ").replace(/^ | $/g, "");
}

/** Return what identifies a pool, however its names are written. */
export function poolKey(pool: { readonly country: string; readonly operator: string }): string {
  return JSON.stringify([folded(pool.country), folded(pool.operator)]);
}

async function checkedColumns(file: Blob): Promise<readonly string[]> {
  const header = await headerOf(file);
  const names = columnsOf(header);
  const differs = names.length !== COLUMNS.length || COLUMNS.some((column) => !names.includes(column));
  if (!differs) return names;
  const found = header.join(", ");
  const shown = found.length > 80 ? `${found.slice(0, 80)}…` : found;
  throw new CsvError(`Header: expected the columns ${COLUMNS.join(", ")}, in any order, with commas, semicolons or tabs. Found: ${shown}`);
}

function columnsOf(header: readonly string[]): readonly string[] {
  return header.map((cell) => COLUMN.exec(cell)?.[1]?.toLowerCase() ?? cell);
}

async function bytesOf(slice: Blob): Promise<ArrayBuffer> {
  try {
    return await slice.arrayBuffer();
  } catch {
    throw new CsvError("The file can no longer be read: it was changed or moved. Choose it again.");
  }
}

function decoded(decode: () => string): string {
  try {
    return decode();
  } catch {
    throw new CsvError("The file is not UTF-8. Save it as CSV in UTF-8.");
  }
}

/** Return the delimiter that the header uses; undefined while the header is incomplete. */
function delimiterOf(text: string, last: boolean): string | undefined {
  const found = HEADER.exec(text);
  if (found?.[1] === undefined && found?.[0].length === text.length && !last) return undefined;
  return found?.[1] ?? ",";
}

/** Return the record that starts at `from`; "cut" when the text ends before it; else what is wrong with it. */
function recordAt(
  text: string,
  from: number,
  delimiter: string,
  last: boolean,
): { record: CsvRecord; next: number } | "cut" | string {
  const cells: string[] = [];
  let at = from;
  for (;;) {
    if (text[at] === '"') {
      const end = closingQuote(text, at + 1, last);
      if (end === -1) return last ? "a quote is opened and never closed" : "cut";
      cells.push(text.slice(at + 1, end).replaceAll('""', '"'));
      at = end + 1;
    } else {
      const end = endOfCell(text, at, delimiter);
      cells.push(text.slice(at, end));
      at = end;
    }
    const after = text[at];
    if (after === undefined && !last) return "cut";
    // The second character of \r\n is then a blank record.
    if (after === undefined || after === "\n" || after === "\r") {
      return { record: { text: text.slice(from, at), cells }, next: at + 1 };
    }
    if (after !== delimiter) return `text follows a closing quote; expected ${DELIMITERS[delimiter]}`;
    at += 1;
  }
}

function closingQuote(text: string, from: number, last: boolean): number {
  let at = text.indexOf('"', from);
  while (at !== -1 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  // At the end of a piece it may turn out to be doubled.
  return at === text.length - 1 && !last ? -1 : at;
}

function endOfCell(text: string, from: number, delimiter: string): number {
  let at = from;
  while (at < text.length && text[at] !== delimiter && text[at] !== "\n" && text[at] !== "\r") at += 1;
  return at;
}

function quoted(cell: string): string {
  // A spreadsheet takes these for formulas.
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n']|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
