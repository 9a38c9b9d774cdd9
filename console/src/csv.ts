/** CSV files, read piece by piece: records as Python's strict reader of them, the server's, finds them. */

/** What is wrong with a file; the message is for the operator. */
export class CsvError extends Error {}

/** A record: as it stands in the file, without the end of its line, and its cells. */
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

export interface Scanned {
  readonly rows: number;
  readonly parts: number;
  /** The pools that its rows name, those of most rows first. */
  readonly pools: readonly PoolNamed[];
}

/** A pool as the API would keep its names, and how many rows name it. */
export interface PoolNamed {
  readonly country: string;
  readonly operator: string;
  readonly rows: number;
}

export const COLUMNS: readonly string[] = ["phone", "country", "operator"];
/** Half of what the API takes at once: on a slow local stack, too, a part is done within the gateway's 29 s. */
export const ROWS_AT_ONCE = 2_500;
/** The API takes no more. */
export const MOST_PARTS = 200;

// The API takes 2 MiB at once; a character is 3 bytes at most here (4 for two of them).
const CHARACTERS_AT_ONCE = 600_000;
// No row of numbers is so long: a quote is missing somewhere.
const LONGEST_RECORD = 50_000;
const SLICE_BYTES = 256 * 1024;

const DELIMITERS: Readonly<Record<string, string>> = { ",": "a comma", ";": "a semicolon", "\t": "a tab" };
// White space as Python has it, which differs from that of trim(), and a byte-order mark.
const BLANK = /^[\s\x1c-\x1f\x85]*$/;
const COLUMN = /^[\s\x1c-\x1f\x85]*(phone|country|operator)[\s\x1c-\x1f\x85]*$/i;
const WHITE = /[\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;
// The first of these after the first name of the header parts the cells of the whole file.
const HEADER = /^[\s\x1c-\x1f\x85,;"]*[^,;\t\r\n]*([,;\t])?/;

/** Finds records in a text that comes in pieces, wherever those were cut. Records of nothing but white space are none. */
export class CsvReader {
  #rest = "";
  #found = 0;
  #delimiter: string | undefined;

  /** Give the records that end in this piece. Throws CsvError. */
  push(piece: string): CsvRecord[] {
    return this.#read(this.#rest + piece, false);
  }

  /** Give what is left at the end of the text. Throws CsvError. */
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

/** Go through a file's records, a slice of it at a time; the header is the first. Throws CsvError. */
export async function* recordsOf(file: Blob): AsyncGenerator<readonly CsvRecord[]> {
  const reader = new CsvReader();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let from = 0; from < file.size; from += SLICE_BYTES) {
    const bytes = await bytesOf(file.slice(from, from + SLICE_BYTES));
    yield reader.push(decoded(() => decoder.decode(bytes, { stream: true })));
  }
  yield [...reader.push(decoded(() => decoder.decode())), ...reader.end()];
}

/** Split a file into parts, each with the header; of the same file always the same. Throws CsvError. */
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

/** Read a file to its end before anything of it is sent. Throws CsvError when it can't be imported. */
export async function scan(file: Blob): Promise<Scanned> {
  const columns = await checkedColumns(file);
  const [country, operator] = [columns.indexOf("country"), columns.indexOf("operator")];
  const pools = new Map<string, PoolNamed>();
  let rows = 0;
  let parts = 0;
  for await (const part of partsOf(file)) {
    rows += part.rows;
    parts = part.number;
    for (const { cells } of part.records) {
      // Rows with other cells are refused.
      if (cells.length !== columns.length) continue;
      const named = { country: folded(cells[country] ?? ""), operator: folded(cells[operator] ?? "") };
      const key = poolKey(named);
      pools.set(key, { ...named, rows: (pools.get(key)?.rows ?? 0) + 1 });
    }
    if (parts > MOST_PARTS) {
      throw new CsvError(`The file is too long: at most ${MOST_PARTS * ROWS_AT_ONCE} rows. Split it.`);
    }
  }
  if (rows === 0) throw new CsvError("The file has a header and no rows.");
  return { rows, parts, pools: [...pools.values()].sort((one, other) => other.rows - one.rows) };
}

/** Give the file's header. Throws CsvError. */
export async function headerOf(file: Blob): Promise<readonly string[]> {
  for await (const records of recordsOf(file)) {
    if (records[0]) return records[0].cells;
  }
  throw new CsvError("The file is empty.");
}

/** Write a record so that a spreadsheet shows it and runs nothing of it. */
export function writeRecord(cells: readonly (string | number)[]): string {
  return cells.map((cell) => (typeof cell === "number" ? String(cell) : quoted(cell))).join(",");
}

/** A name as the API keeps it: in NFC, without white space at its ends, one space for any in it. */
export function folded(name: string): string {
  return name.normalize("NFC").replace(WHITE, " ").replace(/^ | $/g, "");
}

/** What tells pools apart, however their names are stored. */
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
    throw new CsvError("The file can't be read any more: it was changed or moved. Choose it again.");
  }
}

function decoded(decode: () => string): string {
  try {
    return decode();
  } catch {
    throw new CsvError("The file is not UTF-8. Save it as CSV in UTF-8.");
  }
}

/** What parts cells, by the header; undefined when that is not all there yet. */
function delimiterOf(text: string, last: boolean): string | undefined {
  const found = HEADER.exec(text);
  if (found?.[1] === undefined && found?.[0].length === text.length && !last) return undefined;
  return found?.[1] ?? ",";
}

/** The record that begins at `from`; "cut" when its end is not in the text; else what is wrong with it. */
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
    // The second character of \r\n is then an empty record, which is none.
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
  // At the very end of a piece nobody knows yet whether it is doubled.
  return at === text.length - 1 && !last ? -1 : at;
}

function endOfCell(text: string, from: number, delimiter: string): number {
  let at = from;
  while (at < text.length && text[at] !== delimiter && text[at] !== "\n" && text[at] !== "\r") at += 1;
  return at;
}

function quoted(cell: string): string {
  // What begins like this a spreadsheet takes for a formula.
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n']|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
