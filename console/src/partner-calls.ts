/** The calls of partners and gateways, with everything that went over the wire. */

import { config } from "./config";
import { ApiError, parsed, refusalIn, request } from "./http";

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

/** Do a partner's action. Throws CallRefused, ApiError. */
export function partnerCall(key: string, action: string, fields: object): Promise<[unknown, Exchange]> {
  const body = JSON.stringify({ key, action, ...fields });
  return call("POST", `${config.api}/SMSBOWER`, { "Content-Type": "application/json" }, body, [key]);
}

/** Ask why GET_NUMBER with these fields has no number. Throws CallRefused, ApiError. */
export function explain(key: string, fields: object): Promise<[unknown, Exchange]> {
  const body = JSON.stringify({ key, ...fields });
  return call("POST", `${config.api}/partner/explain`, { "Content-Type": "application/json" }, body, [key]);
}

/** Poll the SMS of an activation with the key in no address, which getsms has it in. Throws CallRefused, ApiError. */
export function pollOnPage(key: string, activationId: string): Promise<[unknown, Exchange]> {
  const body = JSON.stringify({ apiKey: key, id: activationId });
  return call("POST", `${config.api}/partner/getsms`, { "Content-Type": "application/json" }, body, [key]);
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

/** Return the exchange of a call that went through `api`; `secrets` are masked. */
export function adminExchange(
  line: string,
  body: object,
  status: number,
  answer: object,
  secrets: readonly string[],
): Exchange {
  return {
    request: masked(`${line}\n\n${pretty(JSON.stringify(body))}`, secrets),
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
  const answer = await request(url, { method, headers, ...(body !== undefined && { body }) }, signal);
  const head = [`${method} ${url}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join("\n");
  const exchange: Exchange = {
    request: masked(body === undefined ? head : `${head}\n\n${pretty(body)}`, secrets),
    status: answer.status,
    answer: masked(pretty(answer.text), secrets),
  };
  // Some dialects answer every error with 200.
  const isError = (answer.content as { status?: unknown } | null | undefined)?.status === "ERROR";
  if (answer.isSuccess && answer.content !== undefined && !isError) return [answer.content, exchange];
  throw new CallRefused(exchange, refusalIn(answer));
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
