/** The admin API (docs/openapi.json), typed: what goes in and out is checked when the console is built. */

import type { components, paths } from "./api-types";
import { config } from "./config";
import { SignedOut, SignInError, renewed, token } from "./session";
import { Store } from "./store";

/** What the API shows and takes, by the names of docs/openapi.json. */
export type Schemas = components["schemas"];

/** A request that did not work. */
export class ApiError extends Error {
  /** The HTTP status; 0 when no answer came. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }

  /** The field that a refusal names, and what was expected of it. */
  get field(): { name: string; expected: string } | null {
    const named = this.status === 400 ? /^([A-Za-z]+): (.+)$/s.exec(this.message) : null;
    return named ? { name: named[1] ?? "", expected: named[2] ?? "" } : null;
  }
}

/** Whether the stack did not answer the last time it was asked. */
export const away = new Store(false);
/** Counts how often it came back; data that could not be had is then asked for again. */
export const cameBack = new Store(0);

// The gateway gives up after 29 s (ms).
const PATIENCE = 35_000;
const NO_ANSWER = "The stack does not answer.";

type Method = "get" | "post" | "put" | "patch" | "delete";
type Operation = { responses: unknown };
type PathsOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, Operation> ? P : never;
}[keyof paths];
type OperationOf<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never;

type InPath<O> = O extends { parameters: { path: infer Fields } }
  ? { path: { [Name in keyof Fields]: string | number } }
  : { path?: never };
type InQuery<O> = O extends { parameters: { query?: infer Fields } }
  ? { query?: { [Name in keyof Fields]?: Fields[Name] | null | undefined } }
  : { query?: never };
type InBody<O> = O extends { requestBody: { content: { "application/json": infer Body } } }
  ? { body: Body } | Csv<O>
  : O extends { requestBody: { content: { "text/csv": unknown } } }
    ? Csv<O>
    : { body?: never };
type Csv<O> = O extends { requestBody: { content: { "text/csv": unknown } } } ? { csv: string | Blob } : never;
type Given<O> = InPath<O> & InQuery<O> & InBody<O> & { signal?: AbortSignal | undefined };
type Options<O> = object extends Given<O> ? [given?: Given<O>] : [given: Given<O>];

type Content<R, S extends number> = R extends Record<S, { content: { "application/json": infer Body } }> ? Body : never;
type Answer<O> = O extends { responses: infer R } ? Content<R, 200> | Content<R, 201> : never;

interface Request {
  readonly path?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly csv?: string | Blob;
  readonly signal?: AbortSignal | undefined;
}

function caller<M extends Method>(method: M) {
  return async <P extends PathsOf<M>>(
    path: P,
    ...[given]: Options<OperationOf<P, M>>
  ): Promise<Answer<OperationOf<P, M>>> =>
    (await call(method, String(path), (given ?? {}) as Request)) as Answer<OperationOf<P, M>>;
}

/**
 * The calls, by method: `api.get("/admin/partners/{partnerId}", { path: { partnerId } })`. A call throws ApiError, or
 * SignedOut when the operator has signed out meanwhile. When the session ran out the operator is asked to sign in again,
 * and the call then goes on.
 */
export const api = {
  get: caller("get"),
  post: caller("post"),
  put: caller("put"),
  patch: caller("patch"),
  delete: caller("delete"),
};

/** Give an error's message for the operator. */
export function message(error: unknown): string {
  if (error instanceof ApiError || error instanceof SignInError) return error.message;
  if (error instanceof SignedOut) return "You are signed out.";
  return "Something went wrong in the console. Load the page again.";
}

/** Ask whether the stack answers again; true if it does. */
export async function lookAgain(): Promise<boolean> {
  try {
    const page = await fetch(`${config.api}/console`, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    answers(page.ok);
  } catch {
    answers(false);
  }
  return !away.value;
}

async function call(method: string, path: string, request: Request): Promise<unknown> {
  const url = urlOf(path, request);
  let response = await send(method, url, request, await permit(token()));
  if (response.status === 401) response = await send(method, url, request, await permit(renewed()));
  const text = await response.text();
  const content = readJson(text);
  if (response.ok && content !== undefined) return content;
  const said = content as { message?: unknown } | undefined;
  throw new ApiError(
    response.status,
    typeof said?.message === "string" ? said.message : `The stack answered ${response.status}. Try again.`,
  );
}

async function permit(wanted: Promise<string>): Promise<string> {
  try {
    return await wanted;
  } catch (error) {
    if (error instanceof SignInError) {
      answers(false);
      throw new ApiError(0, NO_ANSWER);
    }
    throw error;
  }
}

async function send(method: string, url: string, request: Request, permission: string): Promise<Response> {
  const headers = new Headers({ Authorization: permission, Accept: "application/json" });
  const init: RequestInit = { method: method.toUpperCase(), headers, cache: "no-store" };
  if (request.csv !== undefined) {
    headers.set("Content-Type", "text/csv");
    init.body = request.csv;
  } else if (request.body !== undefined) {
    headers.set("Content-Type", "application/json");
    init.body = JSON.stringify(request.body);
  }
  const late = AbortSignal.timeout(PATIENCE);
  init.signal = request.signal ? AbortSignal.any([request.signal, late]) : late;
  try {
    const response = await fetch(url, init);
    answers(true);
    return response;
  } catch (error) {
    // Nobody waits for it any more.
    if (request.signal?.aborted) throw error;
    answers(false);
    throw new ApiError(0, NO_ANSWER);
  }
}

function answers(does: boolean): void {
  const was = away.value;
  away.set(!does);
  if (does && was) cameBack.set(cameBack.value + 1);
}

function urlOf(path: string, request: Request): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(request.path?.[name])));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined && value !== null && value !== "") query.set(name, String(value));
  }
  const asked = query.toString();
  return `${config.api}${filled}${asked ? `?${asked}` : ""}`;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
