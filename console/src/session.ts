/**
 * Who is signed in: Cognito's tokens, kept by each tab for itself and renewed while they can be. The tabs of one console
 * hand them on to each other, so that one signs in and out in all of them (docs/adr/0041).
 */

import { type Challenge, type SignedIn, answer, begin } from "./challenges";
import { type CognitoAnswer, type CognitoTokens, SignInError, ask } from "./cognito";
import { config } from "./config";
import { parsed } from "./http";
import { Store } from "./store";

interface Tokens {
  /** For the API. */
  readonly id: string;
  /** For Cognito itself. */
  readonly access: string;
  readonly refresh: string;
  /** When the first two expire, by this browser's clock (ms). */
  readonly endsAt: number;
  /** The name to sign in with again. */
  readonly name: string;
}

/** What tabs say to each other. */
type Message =
  | { readonly kind: "asked" }
  | { readonly kind: "signed-in"; readonly tokens: Tokens }
  | { readonly kind: "signed-out" };

/** Staff signed out instead of signing in again. */
export class SignedOut extends Error {}

// One origin may serve several stacks.
const KEPT = `globalconnect.session ${config.api}`;
// A token with less time left is renewed before it is used (ms).
const LEAST_LEFT = 60_000;
// How long other tabs have to answer before the sign-in form is shown (ms). A later answer counts, too.
const ANSWER_WITHIN = 300;

/** Who is signed in, null while nobody is. */
export const staff = new Store<string | null>(null);

/** Whether staff are being asked to sign in again; their requests wait. */
export const isSessionOver = new Store(false);

/** Whether Cognito, or other tabs, are being asked for a session, before anybody is asked to sign in. */
export const isAsking = new Store(true);

const tabs = new BroadcastChannel(KEPT);
let waiting: { resolve: (token: string) => void; reject: (error: Error) => void } | null = null;
let renewing: Promise<string> | null = null;
// Whether the session that this tab keeps was not over since it was loaded.
let isConfirmed = false;

tabs.onmessage = ({ data }: MessageEvent<unknown>) => {
  const mine = read();
  const { kind, tokens } = (data ?? {}) as { readonly kind?: unknown; readonly tokens?: unknown };
  if (kind === "asked") {
    if (mine && isConfirmed && !isSessionOver.value) tell({ kind: "signed-in", tokens: mine });
  } else if (kind === "signed-out") end();
  else if (kind === "signed-in" && isTokens(tokens)) {
    if (!mine || (mine.name === tokens.name && (isSessionOver.value || isNewer(tokens, mine)))) take(tokens);
  }
};
void start();

/**
 * Go on as whom this tab keeps, if Cognito stands by that: a tab that showed another page was not told of a sign-out.
 * Else go on as whom other tabs have.
 */
async function start(): Promise<void> {
  const mine = read();
  if (mine) await confirm(mine);
  const now = read();
  if (now) staff.set(now.name);
  else tell({ kind: "asked" });
  setTimeout(() => isAsking.set(false), now ? 0 : ANSWER_WITHIN);
}

/** Have this tab keep new tokens in place of those that it kept, or none if their session is over. */
async function confirm(kept: Tokens): Promise<void> {
  // Unreachable, Cognito says nothing about the session: it goes on here, and in no other tab.
  const given = await refreshed(kept).catch(() => null);
  if (given === null || read()?.id !== kept.id) return;
  if (given) keep(given, kept.name);
  else forget();
}

/** Start to sign in. Return what Cognito asks for next, null if nothing. Throws SignInError. */
export async function signIn(name: string, password: string): Promise<Challenge | null> {
  // Names are stored in lower case.
  return come(await begin(name.toLowerCase(), password));
}

/** Answer what Cognito asked for. Return what it asks for next, null if nothing. Throws SignInError. */
export async function goOn(challenge: Challenge, text: string): Promise<Challenge | null> {
  return come(await answer(challenge, text));
}

/** Sign out in all tabs, and at Cognito if it can be reached. */
export function signOut(): void {
  end();
  tell({ kind: "signed-out" });
}

/** Return a token for a request: the one at hand, or a new one if that expires soon. Throws SignInError, SignedOut. */
export async function token(): Promise<string> {
  const tokens = read();
  return tokens && tokens.endsAt - Date.now() > LEAST_LEFT ? tokens.id : renewed();
}

/**
 * Return a new token, by the refresh token or by asking for the password; one for all who wait. Throws SignInError,
 * SignedOut.
 */
export function renewed(): Promise<string> {
  renewing ??= renew().finally(() => {
    renewing = null;
  });
  return renewing;
}

/** Ask Cognito for something of one's own account. Throws SignInError, SignedOut. */
export async function askForMyself(action: string, body: object = {}): Promise<CognitoAnswer> {
  await token();
  try {
    return await ask(action, { ...body, AccessToken: read()?.access });
  } catch (error) {
    if (!(error instanceof SignInError && error.kind === "NotAuthorizedException")) throw error;
  }
  await renewed();
  return ask(action, { ...body, AccessToken: read()?.access });
}

async function renew(): Promise<string> {
  const tokens = read();
  if (!tokens) {
    forget();
    throw new SignedOut("nobody is signed in");
  }
  const given = await refreshed(tokens);
  const now = read();
  if (!now) throw new SignedOut("signed out meanwhile");
  // Another tab was faster.
  if (now.id !== tokens.id) return now.id;
  if (given) return keep(given, tokens.name);
  return new Promise((resolve, reject) => {
    waiting = { resolve, reject };
    isSessionOver.set(true);
  });
}

/** Return new tokens, undefined when the session is over. Throws SignInError when Cognito does not say. */
async function refreshed({ refresh }: Tokens): Promise<CognitoTokens | undefined> {
  try {
    const answered = await ask("InitiateAuth", {
      AuthFlow: "REFRESH_TOKEN_AUTH",
      ClientId: config.userPoolClientId,
      AuthParameters: { REFRESH_TOKEN: refresh },
    });
    return answered.AuthenticationResult;
  } catch (error) {
    if (saysNothing(error)) throw error;
    return undefined;
  }
}

/** Return whether an error of Cognito's is none about the session: it was not reached, or has too much to do. */
function saysNothing(error: unknown): boolean {
  return error instanceof SignInError && (error.kind === "away" || error.kind === "TooManyRequestsException");
}

function come(to: Challenge | SignedIn): Challenge | null {
  if (to.kind !== "tokens") return to;
  keep(to.tokens, to.name);
  return null;
}

function keep(given: CognitoTokens, name: string): string {
  const tokens: Tokens = {
    id: given.IdToken,
    access: given.AccessToken,
    refresh: given.RefreshToken ?? read()?.refresh ?? "",
    endsAt: Date.now() + given.ExpiresIn * 1000,
    name,
  };
  take(tokens);
  tell({ kind: "signed-in", tokens });
  return tokens.id;
}

/** Have this tab be signed in, and let requests go on that wait for that. */
function take(tokens: Tokens): void {
  sessionStorage.setItem(KEPT, JSON.stringify(tokens));
  isConfirmed = true;
  staff.set(tokens.name);
  isAsking.set(false);
  isSessionOver.set(false);
  waiting?.resolve(tokens.id);
  waiting = null;
}

/** End the session of this tab: its own, since that of the tab where somebody signed out may be another. */
function end(): void {
  const tokens = read();
  forget();
  if (tokens) {
    // Here the session is over in any case.
    ask("RevokeToken", { ClientId: config.userPoolClientId, Token: tokens.refresh }).catch(() => undefined);
  }
}

/** Have this tab be signed out. */
function forget(): void {
  sessionStorage.removeItem(KEPT);
  isConfirmed = false;
  isSessionOver.set(false);
  waiting?.reject(new SignedOut("signed out"));
  waiting = null;
  staff.set(null);
}

function read(): Tokens | null {
  const kept = parsed(sessionStorage.getItem(KEPT) ?? "");
  return isTokens(kept) ? kept : null;
}

/** Return whether tokens are later ones of the same session. A tab with a session of its own keeps it, to end it one day. */
function isNewer(tokens: Tokens, than: Tokens): boolean {
  return tokens.refresh === than.refresh && tokens.endsAt > than.endsAt;
}

/** Return whether this is what tabs keep and tell: an older console, or a page of the same origin, may have others. */
function isTokens(value: unknown): value is Tokens {
  if (typeof value !== "object" || value === null) return false;
  const { id, access, refresh, endsAt, name } = value as Record<string, unknown>;
  return [id, access, refresh, name].every((text) => typeof text === "string") && typeof endsAt === "number";
}

function tell(message: Message): void {
  tabs.postMessage(message);
}
