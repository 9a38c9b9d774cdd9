/** Calls that are not an operator's: what partners and gateways send, with everything that went over the wire. */

import { ApiError } from "./api";
import { config } from "./config";

/** A request and its answer, as the console shows them: keys and secrets are masked. */
export interface Exchange {
  readonly request: string;
  readonly status: number;
  readonly answer: string;
}

/** An answer that is not a success: what was said, with the exchange to look at. */
export class CallRefused extends ApiError {
  readonly exchange: Exchange;

  constructor(exchange: Exchange, message: string) {
    super(exchange.status, message);
    this.exchange = exchange;
  }
}

export interface Source {
  readonly sourceId: string;
  readonly url: string;
  readonly secret: string;
}

const MASK = "•••";
const PATIENCE = 35_000;

/** Do a partner's action. Throws CallRefused, ApiError. */
export function partnerCall(key: string, action: string, fields: object): Promise<[unknown, Exchange]> {
  const body = JSON.stringify({ key, action, ...fields });
  return call("POST", `${config.api}/SMSBOWER`, { "Content-Type": "application/json" }, body, [key]);
}

/** Poll the SMS of an activation, as a partner does. Throws CallRefused, ApiError. */
export function pollSms(key: string, activationId: number, signal: AbortSignal): Promise<[unknown, Exchange]> {
  const query = new URLSearchParams({ apiKey: key, id: String(activationId) });
  return call("GET", `${config.api}/SMSBOWER/getsms/?${query}`, {}, undefined, [key, encodeURIComponent(key)], signal);
}

/** Deliver an SMS as a gateway does, signed with its source's secret. Throws CallRefused, ApiError. */
export async function deliver(source: Source, sms: object): Promise<[unknown, Exchange]> {
  const body = JSON.stringify(sms);
  const headers = { "Content-Type": "application/json", "X-Signature": await signature(source.secret, body) };
  return call("POST", source.url, headers, body, [source.secret]);
}

/** Give an exchange of the admin API, which `api` has had; `secrets` of it are masked. */
export function adminExchange(
  request: string,
  body: object,
  status: number,
  answer: object,
  secrets: readonly string[],
): Exchange {
  return {
    request: masked(`${request}\n\n${pretty(JSON.stringify(body))}`, secrets),
    status,
    answer: masked(pretty(JSON.stringify(answer)), secrets),
  };
}

async function call(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
  secrets: readonly string[],
  signal?: AbortSignal,
): Promise<[unknown, Exchange]> {
  const late = AbortSignal.timeout(PATIENCE);
  const ended = signal ? AbortSignal.any([signal, late]) : late;
  const init: RequestInit = { method, headers, cache: "no-store", signal: ended };
  if (body !== undefined) init.body = body;
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, init);
    text = await response.text();
  } catch (error) {
    // Nobody waits for it any more.
    if (signal?.aborted) throw error;
    throw new ApiError(0, "The stack does not answer.");
  }
  const head = [`${method} ${url}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join("\n");
  const exchange: Exchange = {
    request: masked(body === undefined ? head : `${head}\n\n${pretty(body)}`, secrets),
    status: response.status,
    answer: masked(pretty(text), secrets),
  };
  const content = parsed(text);
  if (response.ok && content !== undefined) return [content, exchange];
  const said = (content as { message?: unknown } | undefined)?.message;
  throw new CallRefused(exchange, typeof said === "string" ? said : `The stack answered ${response.status}.`);
}

async function signature(secret: string, body: string): Promise<string> {
  const bytes = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes.encode(secret), algorithm, false, ["sign"]);
  const signed = new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes.encode(body)));
  return [...signed].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function masked(text: string, secrets: readonly string[]): string {
  return secrets.filter(Boolean).reduce((shown, secret) => shown.replaceAll(secret, MASK), text);
}

function pretty(text: string): string {
  const content = parsed(text);
  return content === undefined ? text : JSON.stringify(content, null, 2);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
