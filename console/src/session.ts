/** Who is signed in: tokens of Cognito, kept for this tab only, renewed while they can be. */

import { config } from "./config";
import { Store } from "./store";

interface Tokens {
  readonly id: string;
  readonly refresh: string;
  /** When the ID token ends, by this browser's clock (ms). */
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

/** Signing in did not work; the message is for the operator. */
export class SignInError extends Error {
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** The operator signed out instead of signing in again. */
export class SignedOut extends Error {}

/** Cognito wants a new password before it lets the operator in. */
export interface NewPasswordWanted {
  readonly name: string;
  readonly session: string;
}

const KEPT = "globalconnect.session";
// A token that ends sooner than this is renewed before it is used (ms).
const ENDS_SOON = 60_000;
const PATIENCE = 20_000;

/** The operator's name, null while nobody is signed in. */
export const operator = new Store<string | null>(read()?.name ?? null);

/** Whether the operator is being asked to sign in again; what they were doing waits. */
export const asking = new Store(false);

let answered: { resolve: (token: string) => void; reject: (error: Error) => void } | null = null;
let renewing: Promise<string> | null = null;

/** What a new password has to be, as the pool's policy in template.yaml says; gives what a password lacks. */
export function lacking(password: string): string[] {
  const wanted: [string, boolean][] = [
    ["at least 12 characters", password.length >= 12],
    ["a lower-case letter", /[a-z]/.test(password)],
    ["an upper-case letter", /[A-Z]/.test(password)],
    ["a digit", /[0-9]/.test(password)],
  ];
  return wanted.filter(([, is]) => !is).map(([what]) => what);
}

/** Sign in. Gives null when that is done, else what is still wanted. Throws SignInError. */
export async function signIn(name: string, password: string): Promise<NewPasswordWanted | null> {
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
export async function setNewPassword(wanted: NewPasswordWanted, password: string): Promise<void> {
  const given = await ask("RespondToAuthChallenge", {
    ChallengeName: "NEW_PASSWORD_REQUIRED",
    ClientId: config.userPoolClientId,
    Session: wanted.session,
    ChallengeResponses: { USERNAME: wanted.name, NEW_PASSWORD: password },
  });
  keep(given, wanted.name);
}

/** Sign out here. The session ends at Cognito too, if Cognito can be reached. */
export function signOut(): void {
  const tokens = read();
  sessionStorage.removeItem(KEPT);
  asking.set(false);
  answered?.reject(new SignedOut("signed out"));
  answered = null;
  operator.set(null);
  if (tokens) {
    // Nobody waits for it: here the session is over in any case.
    ask("RevokeToken", { ClientId: config.userPoolClientId, Token: tokens.refresh }).catch(() => undefined);
  }
}

/** Give a token for a request: the one we have, or a new one when it ends soon. Throws SignInError, SignedOut. */
export async function token(): Promise<string> {
  const tokens = read();
  return tokens && tokens.endsAt - Date.now() > ENDS_SOON ? tokens.id : renewed();
}

/** Give a new token: by the refresh token, else by asking the operator for the password. For all who wait at once. */
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
    // Cognito can't be reached: nothing is known about the session.
    if (error instanceof SignInError && error.kind === "away") throw error;
  }
  return new Promise((resolve, reject) => {
    answered = { resolve, reject };
    asking.set(true);
  });
}

/** The operator has signed in again: what waited goes on. */
export function goOn(): void {
  const tokens = read();
  if (!tokens) return;
  asking.set(false);
  answered?.resolve(tokens.id);
  answered = null;
}

function keep(given: CognitoAnswer, name: string): string {
  const result = given.AuthenticationResult;
  if (!result) {
    throw new SignInError("challenge", `Signing in asks for ${given.ChallengeName ?? "more"}, which the console can't do.`);
  }
  const tokens: Tokens = {
    id: result.IdToken,
    refresh: result.RefreshToken ?? read()?.refresh ?? "",
    endsAt: Date.now() + result.ExpiresIn * 1000,
    name,
  };
  sessionStorage.setItem(KEPT, JSON.stringify(tokens));
  operator.set(name);
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
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch {
    throw new SignInError("away", "The sign-in service does not answer. Check the connection, then try again.");
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
    // Not Cognito's form: what is left to say is the status.
  }
  if (status >= 500) return new SignInError("away", "The sign-in service is in trouble. Try again in a moment.");
  return new SignInError(kind, inOurWords(kind, message));
}

function inOurWords(kind: string, message: string): string {
  switch (kind) {
    case "NotAuthorizedException":
      if (/disabled/i.test(message)) return "This operator is disabled. Whoever manages the operators can enable it.";
      if (/attempts/i.test(message)) return "Too many wrong passwords. Wait some minutes, then try again.";
      if (/expired/i.test(message)) return "The temporary password has expired. Whoever manages the operators can set a new one.";
      if (/session/i.test(message)) return "That took too long. Sign in with the temporary password again.";
      return "The name or the password is wrong.";
    case "UserNotFoundException":
      return "The name or the password is wrong.";
    case "InvalidPasswordException":
      return `The new password was refused: ${message || "it is too simple"}.`;
    case "PasswordResetRequiredException":
      return "The password has to be reset by whoever manages the operators.";
    case "TooManyRequestsException":
    case "LimitExceededException":
      return "Too many attempts. Wait some minutes, then try again.";
    default:
      return `Signing in was refused (${kind || "no reason given"}).`;
  }
}
