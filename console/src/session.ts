/** Who is signed in: Cognito's tokens, kept by this tab only and renewed while they can be. */

import { config } from "./config";
import { Store } from "./store";

interface Tokens {
  readonly id: string;
  readonly refresh: string;
  /** When the ID token expires, by this browser's clock (ms). */
  readonly endsAt: number;
  /** The name to sign in with again. */
  readonly name: string;
}

interface CognitoTokens {
  readonly IdToken: string;
  readonly RefreshToken?: string;
  readonly ExpiresIn: number;
}

interface CognitoAnswer {
  readonly AuthenticationResult?: CognitoTokens;
  readonly ChallengeName?: string;
  readonly Session?: string;
  readonly ChallengeParameters?: Readonly<Record<string, string>>;
}

/** Signing in failed; the message is for staff. */
export class SignInError extends Error {
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Staff signed out instead of signing in again. */
export class SignedOut extends Error {}

/** Cognito asks for a new password before it signs in. */
export interface NewPasswordChallenge {
  readonly name: string;
  readonly session: string;
}

const KEPT = "globalconnect.session";
// A token with less time left is renewed before it is used (ms).
const LEAST_LEFT = 60_000;
const TIMEOUT = 20_000;

/** Who is signed in, null while nobody is. */
export const staff = new Store<string | null>(read()?.name ?? null);

/** Whether staff are being asked to sign in again; their requests wait. */
export const isSessionOver = new Store(false);

let waiting: { resolve: (token: string) => void; reject: (error: Error) => void } | null = null;
let renewing: Promise<string> | null = null;

/** Return what a new password lacks by the pool's policy in template.yaml. */
export function lacking(password: string): string[] {
  const wanted: [string, boolean][] = [
    ["at least 12 characters", password.length >= 12],
    ["a lower-case letter", /[a-z]/.test(password)],
    ["an upper-case letter", /[A-Z]/.test(password)],
    ["a digit", /[0-9]/.test(password)],
  ];
  return wanted.filter(([, is]) => !is).map(([what]) => what);
}

/** Sign in. Return what Cognito still asks for, null if nothing. Throws SignInError. */
export async function signIn(name: string, password: string): Promise<NewPasswordChallenge | null> {
  const given = await ask("InitiateAuth", {
    AuthFlow: "USER_PASSWORD_AUTH",
    ClientId: config.userPoolClientId,
    AuthParameters: { USERNAME: name, PASSWORD: password },
  });
  if (given.ChallengeName === "NEW_PASSWORD_REQUIRED") {
    return { name: given.ChallengeParameters?.["USER_ID_FOR_SRP"] ?? name, session: given.Session ?? "" };
  }
  keep(given, name);
  return null;
}

/** Set the first password of one's own, which signs in. Throws SignInError. */
export async function setNewPassword(challenge: NewPasswordChallenge, password: string): Promise<void> {
  const given = await ask("RespondToAuthChallenge", {
    ChallengeName: "NEW_PASSWORD_REQUIRED",
    ClientId: config.userPoolClientId,
    Session: challenge.session,
    ChallengeResponses: { USERNAME: challenge.name, NEW_PASSWORD: password },
  });
  keep(given, challenge.name);
}

/** Sign out here, and at Cognito if it can be reached. */
export function signOut(): void {
  const tokens = read();
  sessionStorage.removeItem(KEPT);
  isSessionOver.set(false);
  waiting?.reject(new SignedOut("signed out"));
  waiting = null;
  staff.set(null);
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

async function renew(): Promise<string> {
  const tokens = read();
  if (!tokens) {
    signOut();
    throw new SignedOut("nobody is signed in");
  }
  try {
    const given = await ask("InitiateAuth", {
      AuthFlow: "REFRESH_TOKEN_AUTH",
      ClientId: config.userPoolClientId,
      AuthParameters: { REFRESH_TOKEN: tokens.refresh },
    });
    return keep(given, tokens.name);
  } catch (error) {
    // Unreachable, Cognito says nothing about the session.
    if (error instanceof SignInError && error.kind === "away") throw error;
  }
  return new Promise((resolve, reject) => {
    waiting = { resolve, reject };
    isSessionOver.set(true);
  });
}

/** Let requests go on after signing in again. */
export function resume(): void {
  const tokens = read();
  if (!tokens) return;
  isSessionOver.set(false);
  waiting?.resolve(tokens.id);
  waiting = null;
}

function keep(given: CognitoAnswer, name: string): string {
  const result = given.AuthenticationResult;
  if (!result) {
    throw new SignInError("challenge", `Sign-in asks for ${given.ChallengeName ?? "more"}, which the console does not support.`);
  }
  const tokens: Tokens = {
    id: result.IdToken,
    refresh: result.RefreshToken ?? read()?.refresh ?? "",
    endsAt: Date.now() + result.ExpiresIn * 1000,
    name,
  };
  sessionStorage.setItem(KEPT, JSON.stringify(tokens));
  staff.set(name);
  return tokens.id;
}

function read(): Tokens | null {
  const kept = sessionStorage.getItem(KEPT);
  return kept ? (JSON.parse(kept) as Tokens) : null;
}

async function ask(action: string, body: object): Promise<CognitoAnswer> {
  let response: Response;
  try {
    response = await fetch(config.cognito, {
      method: "POST",
      headers: {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": `AWSCognitoIdentityProviderService.${action}`,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT),
    });
  } catch {
    throw new SignInError("away", "The sign-in service is not responding. Check your connection, then try again.");
  }
  const text = await response.text();
  if (response.ok) return (text ? JSON.parse(text) : {}) as CognitoAnswer;
  throw refusal(response.status, text);
}

function refusal(status: number, text: string): SignInError {
  let kind = "";
  let message = "";
  try {
    const said = JSON.parse(text) as { __type?: string; message?: string; Message?: string };
    kind = said.__type?.split("#").pop() ?? "";
    message = said.message ?? said.Message ?? "";
  } catch {
    // Not Cognito's JSON: only the status is known.
  }
  if (status >= 500) return new SignInError("away", "The sign-in service has a problem. Try again in a moment.");
  return new SignInError(kind, explanation(kind, message));
}

function explanation(kind: string, message: string): string {
  switch (kind) {
    case "NotAuthorizedException":
      if (/disabled/i.test(message)) return "This account is disabled. Ask whoever manages accounts to enable it.";
      if (/attempts/i.test(message)) return "Too many wrong passwords. Try again in a few minutes.";
      if (/expired/i.test(message)) return "The temporary password has expired. Ask whoever manages accounts for a new one.";
      if (/session/i.test(message)) return "That took too long. Sign in with the temporary password again.";
      return "Wrong email or password.";
    case "UserNotFoundException":
      return "Wrong email or password.";
    case "InvalidPasswordException":
      return `The new password was rejected: ${message || "it is too simple"}.`;
    case "PasswordResetRequiredException":
      return "Your password must be reset. Ask whoever manages accounts.";
    case "TooManyRequestsException":
    case "LimitExceededException":
      return "Too many attempts. Try again in a few minutes.";
    default:
      return `Sign-in failed (${kind || "no reason given"}).`;
  }
}
