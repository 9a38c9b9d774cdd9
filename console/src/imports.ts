/** Imports under way: sent part by part while the operator looks at other pages, for as long as the tab is there. */

import { ApiError, type Schemas, api, message } from "./api";
import { CsvError, type Scanned, headerOf, partsOf, recordsOf, writeRecord } from "./csv";
import { SignedOut } from "./session";
import { Store } from "./store";

export type Import = Schemas["ImportJobView"];
type Rejected = Schemas["RejectedRowView"];

/** A file that was chosen, and read to its end. */
export interface Chosen {
  readonly file: File;
  readonly scanned: Scanned;
}

/** What is known here of an import: its file, how far it was sent, and what the server counted. */
export interface Run extends Chosen {
  /** `stopped` can go on; `refused` can't. */
  readonly state: "sending" | "stopped" | "refused" | "sent";
  readonly counts: Counts;
  readonly error: string | null;
}

export interface Counts {
  readonly rows: number;
  readonly imported: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly rejected: number;
}

/** By the import's id. */
export const runs = new Store<ReadonlyMap<string, Run>>(new Map());

const NOTHING: Counts = { rows: 0, imported: 0, updated: 0, unchanged: 0, rejected: 0 };
// A part that the server could not take just now is sent again after each of these (ms).
const PAUSES = [1_000, 2_000, 4_000];
const LONGEST_NAME = 255;

const stops = new Map<string, AbortController>();

addEventListener("beforeunload", (event) => {
  if (stops.size > 0) event.preventDefault();
});

/** Begin an import of a file; gives its id, while it is being sent. Throws ApiError, SignedOut. */
export async function begin(chosen: Chosen, dryRun: boolean): Promise<string> {
  const { importId } = await api.post("/admin/imports", { body: { fileName: nameOf(chosen.file), dryRun } });
  void send(importId, chosen);
  return importId;
}

/** Send a file from its beginning: what the server has already taken has no effect again. */
export async function send(importId: string, chosen: Chosen): Promise<void> {
  if (stops.has(importId)) return;
  const stop = new AbortController();
  stops.set(importId, stop);
  let counts = NOTHING;
  const tell = (state: Run["state"], error: string | null = null) => note(importId, { ...chosen, state, counts, error });
  tell("sending");
  try {
    for await (const { number, text } of partsOf(chosen.file)) {
      counts = sum(counts, await sendPart(importId, number, text, stop.signal));
      tell("sending");
    }
    await retried(() => api.post("/admin/imports/{importId}/finish", { path: { importId }, signal: stop.signal }), stop.signal);
    tell("sent");
  } catch (error) {
    if (stop.signal.aborted) tell("stopped");
    else if (error instanceof SignedOut) forget(importId);
    else if (error instanceof CsvError) tell("refused", error.message);
    else if (isPassing(error)) tell("stopped", message(error));
    else tell("refused", refusal(error));
  } finally {
    stops.delete(importId);
  }
}

/** Stop sending; it can go on later. */
export function stop(importId: string): void {
  stops.get(importId)?.abort();
}

/** Write the refused rows as CSV, with their own cells when the file is at hand. Throws ApiError, CsvError. */
export async function refusedRows(importId: string, file: File | undefined): Promise<Blob> {
  const rejected: Rejected[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.get("/admin/imports/{importId}/rejected", { path: { importId }, query: { cursor } });
    rejected.push(...page.rejected);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  const header = ["row", "reason", ...(file ? await headerOf(file) : [])];
  const lines = [writeRecord(header)];
  if (file) {
    const cells = await cellsOf(file, new Set(rejected.map(({ row }) => row)));
    for (const { row, reason } of rejected) lines.push(writeRecord([row, reason, ...(cells.get(row) ?? [])]));
  } else {
    for (const { row, reason } of rejected) lines.push(writeRecord([row, reason]));
  }
  // By the mark at its beginning a spreadsheet knows that it is UTF-8.
  return new Blob(["\uFEFF", lines.join("\r\n"), "\r\n"], { type: "text/csv;charset=utf-8" });
}

async function cellsOf(file: File, wanted: ReadonlySet<number>): Promise<Map<number, readonly string[]>> {
  const found = new Map<number, readonly string[]>();
  // The header comes first and is row 0.
  let row = 0;
  for await (const records of recordsOf(file)) {
    for (const { cells } of records) {
      if (wanted.has(row)) found.set(row, cells);
      row += 1;
    }
  }
  return found;
}

async function sendPart(importId: string, part: number, csv: string, signal: AbortSignal): Promise<Counts> {
  const path = { importId, part };
  const taken = await retried(() => api.put("/admin/imports/{importId}/parts/{part}", { path, csv, signal }), signal);
  return { ...taken, rejected: taken.rejected.length };
}

async function retried<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await ask();
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
    await paused(pause, signal);
  }
  return ask();
}

function isPassing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);
}

function refusal(error: unknown): string {
  if (error instanceof ApiError && error.status === 409) {
    return `${error.message} — this is not the file that the import began with, or it was ended meanwhile.`;
  }
  return message(error);
}

function paused(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new Error("stopped"));
    });
  });
}

function sum(before: Counts, part: Counts): Counts {
  return {
    rows: before.rows + part.rows,
    imported: before.imported + part.imported,
    updated: before.updated + part.updated,
    unchanged: before.unchanged + part.unchanged,
    rejected: before.rejected + part.rejected,
  };
}

function note(importId: string, run: Run): void {
  runs.set(new Map(runs.value).set(importId, run));
}

function forget(importId: string): void {
  const left = new Map(runs.value);
  left.delete(importId);
  runs.set(left);
}

/** A file's name as the API takes it. */
function nameOf(file: File): string {
  const name = file.name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "").replace(/\p{Zs}/gu, " ").trim();
  return [...name].slice(0, LONGEST_NAME).join("") || "numbers.csv";
}
