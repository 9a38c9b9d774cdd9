/**
 * Who is signed in: Cognito's tokens, kept by each tab for itself and renewed while they can be. The tabs of one console
 * hand them on to each other, so that one signs in and out in all of them (docs/adr/0041).
 */

import { type Challenge, type SignedIn, answer, begin } from "./challenges";
import { type CognitoAnswer, type CognitoTokens, SignInError, ask } from "./cognito";
import { config } from "./config";
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
export const staff = new Store<string | null>(read()?.name ?? null);

/** Whether staff are being asked to sign in again; their requests wait. */
export const isSessionOver = new Store(false);

/** Whether other tabs are being asked for their session, before anybody is asked to sign in. */
export const isAsking = new Store(staff.value === null);

const tabs = new BroadcastChannel(KEPT);
let waiting: { resolve: (token: string) => void; reject: (error: Error) => void } | null = null;
let renewing: Promise<string> | null = null;

tabs.onmessage = ({ data }: MessageEvent<Message>) => {
  const mine = read();
  if (data.kind === "asked") {
    if (mine && !isSessionOver.value) tell({ kind: "signed-in", tokens: mine });
  } else if (data.kind === "signed-out") forget();
  else if (!mine || (mine.name === data.tokens.name && mine.endsAt < data.tokens.endsAt)) take(data.tokens);
};
if (isAsking.value) {
  tell({ kind: "asked" });
  setTimeout(() => isAsking.set(false), ANSWER_WITHIN);
}

/** Start to sign in. Return what Cognito asks for next, null if nothing. Throws SignInError. */
export async function signIn(name: string, password: string): Promise<Challenge | null> {
  return come(await begin(name, password));
}

/** Answer what Cognito asked for. Return what it asks for next, null if nothing. Throws SignInError. */
export async function goOn(challenge: Challenge, text: string): Promise<Challenge | null> {
  return come(await answer(challenge, text));
}

/** Sign out in all tabs, and at Cognito if it can be reached. */
export function signOut(): void {
  const tokens = read();
  forget();
  tell({ kind: "signed-out" });
  if (tokens) {
    // Here the session is over in any case.
    ask("RevokeToken", { ClientId: config.userPoolClientId, Token: tokens.refresh }).catch(() => undefined);
  }
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
  let given: CognitoTokens | undefined;
  try {
    const answered = await ask("InitiateAuth", {
      AuthFlow: "REFRESH_TOKEN_AUTH",
      ClientId: config.userPoolClientId,
      AuthParameters: { REFRESH_TOKEN: tokens.refresh },
    });
    given = answered.AuthenticationResult;
  } catch (error) {
    // Unreachable, Cognito says nothing about the session.
    if (error instanceof SignInError && error.kind === "away") throw error;
  }
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
  staff.set(tokens.name);
  isAsking.set(false);
  isSessionOver.set(false);
  waiting?.resolve(tokens.id);
  waiting = null;
}

/** Have this tab be signed out. */
function forget(): void {
  sessionStorage.removeItem(KEPT);
  isSessionOver.set(false);
  waiting?.reject(new SignedOut("signed out"));
  waiting = null;
  staff.set(null);
}

function read(): Tokens | null {
  const kept = sessionStorage.getItem(KEPT);
  return kept ? (JSON.parse(kept) as Tokens) : null;
}

function tell(message: Message): void {
  tabs.postMessage(message);
}
