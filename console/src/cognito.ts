/** Cognito's JSON API: a request, its answer, and in words why it was refused. */

import { config } from "./config";

/** What those of Cognito's answers hold that the console reads. */
export interface CognitoAnswer {
  readonly AuthenticationResult?: CognitoTokens;
  readonly ChallengeName?: string;
  readonly ChallengeParameters?: Readonly<Record<string, string>>;
  readonly Session?: string;
  readonly SecretCode?: string;
  readonly Status?: string;
  readonly UserMFASettingList?: readonly string[];
}

export interface CognitoTokens {
  readonly IdToken: string;
  readonly AccessToken: string;
  readonly RefreshToken?: string;
  readonly ExpiresIn: number;
}

/** Cognito refused, or could not be asked; the message is for staff. */
export class SignInError extends Error {
  /** Cognito's name for it, or: away (no answer came), session (a sign-in has to start over). */
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

export const WRONG_CODE = "Wrong code. Enter the one that your app shows now; the clock of its device must be right.";

const TIMEOUT = 20_000;

/** Ask Cognito. Throws SignInError. */
export async function ask(action: string, body: object): Promise<CognitoAnswer> {
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
  if (kind === "NotAuthorizedException" && /session/i.test(message)) {
    return new SignInError("session", "That took too long, or was tried too often. Sign in again.");
  }
  return new SignInError(kind, explanation(kind, message));
}

function explanation(kind: string, message: string): string {
  switch (kind) {
    case "NotAuthorizedException":
      if (/access token/i.test(message)) return "Your session has ended. Sign out, then sign in again.";
      if (/disabled/i.test(message)) return "This account is disabled. Ask whoever manages accounts to enable it.";
      if (/attempts/i.test(message)) return "Too many wrong passwords. Try again in a few minutes.";
      if (/expired/i.test(message)) return "The temporary password has expired. Ask whoever manages accounts for a new one.";
      return "Wrong email or password.";
    case "UserNotFoundException":
      return "Wrong email or password.";
    case "CodeMismatchException":
    case "EnableSoftwareTokenMFAException":
      return WRONG_CODE;
    case "ExpiredCodeException":
      return "This code has been used or is over. Wait for the next one.";
    case "SoftwareTokenMFANotFoundException":
      return "Cognito knows no authenticator app here. Ask whoever manages accounts to reset your second factor.";
    case "InvalidPasswordException":
      return `The new password was rejected: ${message || "it is too simple"}.`;
    case "PasswordResetRequiredException":
      return "Your password must be reset. Ask whoever manages accounts.";
    case "TooManyRequestsException":
    case "TooManyFailedAttemptsException":
    case "LimitExceededException":
      return "Too many attempts. Try again in a few minutes.";
    default:
      return `Sign-in failed (${kind || "no reason given"}).`;
  }
}
