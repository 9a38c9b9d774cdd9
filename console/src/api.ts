/** The admin API (docs/openapi.json), typed: what goes in and out is checked when the console is built. */

import type { components, paths } from "./api-types";
import { SignInError } from "./cognito";
import { config } from "./config";
import { type Answer, ApiError, NO_ANSWER, refusalIn, request } from "./http";
import { renewed, staff, token } from "./session";
import { Store } from "./store";

/** What the API shows and takes, by the names of docs/openapi.json. */
export type Schemas = components["schemas"];

/** Whether the stack failed to answer last time. */
export const isDown = new Store(false);
/** How often it has come back; data that could not be read is then read again. */
export const recoveries = new Store(0);
/** Whether the API refuses everything until who is signed in has a second factor. */
export const isTotpNeeded = new Store(false);
staff.subscribe(() => isTotpNeeded.set(false));
/** How often the API refused something for which another role is needed. */
export const refusalsOfRole = new Store(0);

// How the API's refusals begin then.
const TOTP_NEEDED = "TOTP needed";
const ROLE_NEEDED = "This needs the role";

type Method = "get" | "post" | "put" | "patch" | "delete";
type Operation = { responses: unknown };
type PathsOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, Operation> ? P : never;
}[keyof paths];
type OperationOf<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never;

/** An operation of the API: `post /admin/partners`. */
export type Route = { [M in Method]: `${M} ${PathsOf<M>}` }[Method];

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
type Returned<O> = O extends { responses: infer R } ? Content<R, 200> | Content<R, 201> : never;

interface Call {
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
  ): Promise<Returned<OperationOf<P, M>>> =>
    (await call(method, String(path), (given ?? {}) as Call)) as Returned<OperationOf<P, M>>;
}

/**
 * The calls, by method: `api.get("/admin/partners/{partnerId}", { path: { partnerId } })`. A call throws ApiError, or
 * SignedOut when staff have signed out meanwhile. When the session has ended they are asked to sign in again, and the call
 * then goes on.
 */
export const api = {
  get: caller("get"),
  post: caller("post"),
  put: caller("put"),
  patch: caller("patch"),
  delete: caller("delete"),
};

/** Ask the API for something small, to see whether it still refuses everything without a second factor. */
export async function askForTotpAgain(): Promise<void> {
  await api.get("/admin/providers").catch(() => undefined);
}

/** Return whether the stack answers again. */
export async function checkAgain(): Promise<boolean> {
  try {
    note((await request(`${config.api}/console`, {})).isSuccess);
  } catch {
    note(false);
  }
  return !isDown.value;
}

async function call(method: string, path: string, given: Call): Promise<unknown> {
  const url = urlOf(path, given);
  let answer = await send(method, url, given, await orNoAnswer(token()));
  if (answer.status === 401) answer = await send(method, url, given, await orNoAnswer(renewed()));
  if (answer.isSuccess) isTotpNeeded.set(false);
  if (answer.isSuccess && answer.content !== undefined) return answer.content;
  const refusal = refusalIn(answer);
  if (answer.status === 403 && refusal.startsWith(TOTP_NEEDED)) isTotpNeeded.set(true);
  if (answer.status === 403 && refusal.startsWith(ROLE_NEEDED)) refusalsOfRole.set(refusalsOfRole.value + 1);
  throw new ApiError(answer.status, refusal);
}

async function orNoAnswer(wanted: Promise<string>): Promise<string> {
  try {
    return await wanted;
  } catch (error) {
    if (!(error instanceof SignInError)) throw error;
    note(false);
    throw new ApiError(0, NO_ANSWER);
  }
}

async function send(method: string, url: string, given: Call, authorization: string): Promise<Answer> {
  const headers = new Headers({ Authorization: authorization, Accept: "application/json" });
  const init: RequestInit = { method: method.toUpperCase(), headers };
  if (given.csv !== undefined) {
    headers.set("Content-Type", "text/csv");
    init.body = given.csv;
  } else if (given.body !== undefined) {
    headers.set("Content-Type", "application/json");
    init.body = JSON.stringify(given.body);
  }
  try {
    const answer = await request(url, init, given.signal);
    note(true);
    return answer;
  } catch (error) {
    if (error instanceof ApiError) note(false);
    throw error;
  }
}

function note(isUp: boolean): void {
  const wasDown = isDown.value;
  isDown.set(!isUp);
  if (isUp && wasDown) recoveries.set(recoveries.value + 1);
}

function urlOf(path: string, { path: names, query }: Call): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(names?.[name])));
  const asked = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== "");
  if (asked.length === 0) return `${config.api}${filled}`;
  return `${config.api}${filled}?${new URLSearchParams(asked.map(([name, value]) => [name, String(value)]))}`;
}
