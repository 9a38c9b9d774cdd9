/** What Cognito asks before somebody is signed in: a password, then challenges, until it gives tokens. */

import { type CognitoAnswer, type CognitoTokens, SignInError, WRONG_CODE, ask } from "./cognito";
import { config } from "./config";

/** What is asked for next; each is answered by one text. */
export type Challenge =
  /** A password of one's own, in place of the temporary one. */
  | (Asked & { readonly kind: "password" })
  /** The code that the authenticator app shows. */
  | (Asked & { readonly kind: "code" })
  /** An authenticator app with this secret, and the code that it shows then. */
  | (Asked & { readonly kind: "setup"; readonly secret: string });

interface Asked {
  /** The name as it was typed. */
  readonly name: string;
  /** Cognito's name for the same person. */
  readonly user: string;
  readonly session: string;
}

export type SignedIn = { readonly kind: "tokens"; readonly name: string; readonly tokens: CognitoTokens };

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

/** Start with a password. Throws SignInError, also when what is asked for next is nothing that the console knows. */
export async function begin(name: string, password: string): Promise<Challenge | SignedIn> {
  const given = await ask("InitiateAuth", {
    AuthFlow: "USER_PASSWORD_AUTH",
    ClientId: config.userPoolClientId,
    AuthParameters: { USERNAME: name, PASSWORD: password },
  });
  return next(given, name, name);
}

/**
 * Answer a challenge, which may be tried again with another text. Throws SignInError, of kind `session` when it can't:
 * then all starts over.
 */
export async function answer(challenge: Challenge, text: string): Promise<Challenge | SignedIn> {
  switch (challenge.kind) {
    case "password":
      return respond("NEW_PASSWORD_REQUIRED", challenge, { NEW_PASSWORD: text });
    case "code":
      return respond("SOFTWARE_TOKEN_MFA", challenge, { SOFTWARE_TOKEN_MFA_CODE: text });
    case "setup": {
      const verified = await ask("VerifySoftwareToken", { Session: challenge.session, UserCode: text });
      if (verified.Status !== "SUCCESS") throw new SignInError("CodeMismatchException", WRONG_CODE);
      return respond("MFA_SETUP", { ...challenge, session: verified.Session ?? challenge.session }, {});
    }
  }
}

async function respond(asked: string, { name, user, session }: Asked, responses: object) {
  const given = await ask("RespondToAuthChallenge", {
    ChallengeName: asked,
    ClientId: config.userPoolClientId,
    Session: session,
    ChallengeResponses: { USERNAME: user, ...responses },
  });
  return next(given, name, user);
}

async function next(given: CognitoAnswer, name: string, before: string): Promise<Challenge | SignedIn> {
  if (given.AuthenticationResult) return { kind: "tokens", name, tokens: given.AuthenticationResult };
  const user = given.ChallengeParameters?.["USER_ID_FOR_SRP"] ?? before;
  const session = given.Session ?? "";
  switch (given.ChallengeName) {
    case "NEW_PASSWORD_REQUIRED":
      return { kind: "password", name, user, session };
    case "SOFTWARE_TOKEN_MFA":
      return { kind: "code", name, user, session };
    case "MFA_SETUP": {
      const begun = await ask("AssociateSoftwareToken", { Session: session });
      return { kind: "setup", name, user, session: begun.Session ?? session, secret: begun.SecretCode ?? "" };
    }
    default:
      throw new SignInError(
        "challenge",
        `Sign-in asks for ${given.ChallengeName ?? "more"}, which the console can't answer. Ask whoever manages accounts.`,
      );
  }
}
