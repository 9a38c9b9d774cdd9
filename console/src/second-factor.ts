/** The second factor of who is signed in: an authenticator app (TOTP, RFC 6238), as Cognito knows it. */

import { SignInError, WRONG_CODE } from "./cognito";
import { askForMyself } from "./session";

const TOTP = "SOFTWARE_TOKEN_MFA";

/** Return whether signing in asks for a code. Throws SignInError, SignedOut, as all of these do. */
export async function isSecondFactorOn(): Promise<boolean> {
  const user = await askForMyself("GetUser");
  return user.UserMFASettingList?.includes(TOTP) ?? false;
}

/** Return a new secret for an app. It changes nothing before `turnOn`. */
export async function newSecret(): Promise<string> {
  const begun = await askForMyself("AssociateSoftwareToken");
  return begun.SecretCode ?? "";
}

/** Have sign-in ask for codes, given one that the app shows for the newest secret. */
export async function turnOn(code: string): Promise<void> {
  const verified = await askForMyself("VerifySoftwareToken", { UserCode: code });
  if (verified.Status !== "SUCCESS") throw new SignInError("CodeMismatchException", WRONG_CODE);
  await prefer(true);
}

export async function turnOff(): Promise<void> {
  await prefer(false);
}

async function prefer(is: boolean): Promise<void> {
  await askForMyself("SetUserMFAPreference", { SoftwareTokenMfaSettings: { Enabled: is, PreferredMfa: is } });
}
