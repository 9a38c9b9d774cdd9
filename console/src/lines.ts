/** Lines of a source: what its gateway calls its SIMs or devices, and which numbers of ours these are. */

import { type Schemas, api } from "./api";
import { CsvError, recordsOf, writeRecord } from "./csv";
import { count } from "./figures";
import { ApiError } from "./http";

export type Line = Schemas["LineView"];

/** A line that a file maps, and the row it is in, counted from 1 without the header. */
interface FileLine {
  readonly line: string;
  readonly phone: string;
  readonly row: number;
}

/** What a file of lines holds. */
export interface LinesFile {
  readonly lines: readonly FileLine[];
  /** How many rows name no number: the lines of those are not mapped. */
  readonly unmapped: number;
}

const COLUMNS = ["line", "phone"] as const;
// The API takes no more.
const MAX_LINES = 5_000;
// How the API names what is wrong.
const CLASH = /^lines: (\d+) is line (.+) of source (\w+)$/s;
const WRONG_ROW = /^row (\d+): (.+)$/s;

/** Return all lines of a source. Throws ApiError. */
export async function everyLine(sourceId: string, signal?: AbortSignal): Promise<readonly Line[]> {
  const lines: Line[] = [];
  let cursor: string | undefined;
  do {
    const path = { sourceId };
    const page = await api.get("/admin/sources/{sourceId}/lines", { path, query: { cursor }, signal });
    lines.push(...page.lines);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return lines;
}

/** Let a line of a source be a number, null for none of ours. Throws ApiError. */
export async function changeLine(
  sourceId: string,
  line: string,
  phone: string | null,
): Promise<Schemas["LinesResult"]> {
  try {
    const path = { sourceId };
    return await api.patch("/admin/sources/{sourceId}/lines", { path, body: { lines: { [line]: phone } } });
  } catch (error) {
    throw await inWords(sourceId, error);
  }
}

/** Let a source's lines be these numbers, and no others of it any. Throws ApiError, which names the row of a file. */
export async function replaceLines(
  sourceId: string,
  lines: readonly { readonly line: string; readonly phone: string; readonly row: number }[],
): Promise<Schemas["LinesResult"]> {
  try {
    const body = lines.map(({ line, phone }) => ({ line, phone }));
    return await api.put("/admin/sources/{sourceId}/lines", { path: { sourceId }, body });
  } catch (error) {
    const [, sent, expected] = (error instanceof ApiError && WRONG_ROW.exec(error.message)) || [];
    const row = lines[Number(sent) - 1]?.row;
    if (error instanceof ApiError && row !== undefined)
      throw new ApiError(error.status, `Row ${count(row)}: ${expected}`);
    throw await inWords(sourceId, error);
  }
}

/** Return what went wrong, with the name of the source whose line a number is. */
async function inWords(sourceId: string, error: unknown): Promise<unknown> {
  if (!(error instanceof ApiError) || error.status !== 409) return error;
  const [, phone, line, owner] = CLASH.exec(error.message) ?? [];
  if (owner === undefined) return error;
  const of = owner === sourceId ? "this source" : await nameOfSource(owner);
  return new ApiError(409, `${phone} is line ${line} of ${of}. Nothing was changed.`);
}

/** Read a file of lines to its end. Throws CsvError. */
export async function readLines(file: Blob): Promise<LinesFile> {
  const lines: FileLine[] = [];
  let places: readonly number[] | undefined;
  let row = 0;
  let unmapped = 0;
  for await (const records of recordsOf(file)) {
    for (const { cells } of records) {
      if (places === undefined) {
        places = placesOf(cells);
        continue;
      }
      row += 1;
      if (cells.length !== COLUMNS.length) throw new CsvError(`Row ${count(row)}: expected a line and a phone.`);
      const [line = "", phone = ""] = places.map((at) => unguarded(cells[at] ?? ""));
      if (phone.trim() === "") unmapped += 1;
      else lines.push({ line, phone, row });
    }
    if (lines.length > MAX_LINES) throw new CsvError(`The file is too long: at most ${count(MAX_LINES)} lines.`);
  }
  if (places === undefined) throw new CsvError("The file is empty.");
  return { lines, unmapped };
}

/** Return lines as a file that `readLines` reads; those that are no number yet have none in it. */
export function writeLines(lines: readonly Line[]): Blob {
  const rows = [[...COLUMNS], ...lines.map(({ line, phone }) => [line, phone ?? ""])];
  // By the byte-order mark a spreadsheet knows that it is UTF-8.
  return new Blob(["\uFEFF", ...rows.map((cells) => `${writeRecord(cells)}\r\n`)], { type: "text/csv;charset=utf-8" });
}

function placesOf(header: readonly string[]): readonly number[] {
  const names = header.map((cell) => cell.replace("\uFEFF", "").trim().toLowerCase());
  const places = COLUMNS.map((column) => names.indexOf(column));
  if (names.length === COLUMNS.length && !places.includes(-1)) return places;
  throw new CsvError("Header: expected the columns line and phone, with a comma, semicolon or tab between them.");
}

/** Return a cell without what keeps spreadsheets from taking it for a formula. */
function unguarded(cell: string): string {
  return cell.replace(/^'(?=[=+\-@])/, "");
}

export async function nameOfSource(sourceId: string): Promise<string> {
  try {
    return (await api.get("/admin/sources/{sourceId}", { path: { sourceId } })).name;
  } catch {
    return `source ${sourceId}`;
  }
}
