/** Imports of numbers, sent part by part while the tab is open, whatever page it shows. */

import { type Schemas, api } from "./api";
import { CsvError, type FileSummary, headerOf, partsOf, recordsOf, writeRecord } from "./csv";
import { message } from "./errors";
import { ApiError } from "./http";
import { SignedOut } from "./session";
import { Store } from "./store";

export type ImportJob = Schemas["ImportJobView"];
type RejectedRow = Schemas["RejectedRowView"];

/** A file that was read to its end. */
export interface NumbersFile {
  readonly file: File;
  readonly summary: FileSummary;
}

/** How far this tab has sent an import, and what the API counted. */
export interface Upload extends NumbersFile {
  /** `stopped` can be resumed; `failed` can't. */
  readonly state: "sending" | "stopped" | "failed" | "sent";
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
export const uploads = new Store<ReadonlyMap<string, Upload>>(new Map());

const NOTHING: Counts = { rows: 0, imported: 0, updated: 0, unchanged: 0, rejected: 0 };
// Waits before a part is sent again (ms).
const RETRY_AFTER = [1_000, 2_000, 4_000];
const MAX_NAME_LENGTH = 255;

const stops = new Map<string, AbortController>();

addEventListener("beforeunload", (event) => {
  if (stops.size > 0) event.preventDefault();
});

/** Start an import and return its id; the file is sent meanwhile. Throws ApiError, SignedOut. */
export async function start(chosen: NumbersFile, dryRun: boolean): Promise<string> {
  const { importId } = await api.post("/admin/imports", { body: { fileName: nameOf(chosen.file), dryRun } });
  void send(importId, chosen);
  return importId;
}

/** Send a file from its start; parts that the API has already are idempotent. */
export async function send(importId: string, chosen: NumbersFile): Promise<void> {
  if (stops.has(importId)) return;
  const stop = new AbortController();
  stops.set(importId, stop);
  let counts = NOTHING;
  const { file, summary } = chosen;
  const note = (state: Upload["state"], error: string | null = null) =>
    uploads.set(new Map(uploads.value).set(importId, { file, summary, state, counts, error }));
  note("sending");
  try {
    for await (const { number, text } of partsOf(file)) {
      counts = sum(counts, await sendPart(importId, number, text, stop.signal));
      note("sending");
    }
    await retried(() => api.post("/admin/imports/{importId}/finish", { path: { importId }, signal: stop.signal }), stop.signal);
    note("sent");
  } catch (error) {
    if (stop.signal.aborted) note("stopped");
    else if (error instanceof SignedOut) forget(importId);
    else if (error instanceof CsvError) note("failed", error.message);
    else if (isTransient(error)) note("stopped", message(error));
    else note("failed", refusal(error));
  } finally {
    stops.delete(importId);
  }
}

/** Stop sending; it can be resumed. */
export function stop(importId: string): void {
  stops.get(importId)?.abort();
}

/** Return the rejected rows as CSV, with their cells if the file is at hand. Throws ApiError, CsvError. */
export async function rejectedRows(importId: string, file: File | undefined): Promise<Blob> {
  const rejected: RejectedRow[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.get("/admin/imports/{importId}/rejected", { path: { importId }, query: { cursor } });
    rejected.push(...page.rejected);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  const cells = file ? await cellsOf(file, new Set(rejected.map(({ row }) => row))) : null;
  const lines = [
    writeRecord(["row", "reason", ...(file ? await headerOf(file) : [])]),
    ...rejected.map(({ row, reason }) => writeRecord([row, reason, ...(cells?.get(row) ?? [])])),
  ];
  // By the byte-order mark a spreadsheet knows that it is UTF-8.
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
  for (const pause of RETRY_AFTER) {
    try {
      return await ask();
    } catch (error) {
      if (!isTransient(error)) throw error;
    }
    await paused(pause, signal);
  }
  return ask();
}

function isTransient(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);
}

function refusal(error: unknown): string {
  if (error instanceof ApiError && error.status === 409) {
    return `${error.message} — this is not the file that the import started with, or the import was ended.`;
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

function forget(importId: string): void {
  const left = new Map(uploads.value);
  left.delete(importId);
  uploads.set(left);
}

/** Return a file's name as the API takes it. */
function nameOf(file: File): string {
  const name = file.name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "").replace(/\p{Zs}/gu, " ").trim();
  return [...name].slice(0, MAX_NAME_LENGTH).join("") || "numbers.csv";
}
