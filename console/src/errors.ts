import { SignInError } from "./cognito";
import { CsvError } from "./csv";
import { ApiError } from "./http";
import { SignedOut } from "./session";

/** Return an error's message for staff. */
export function message(error: unknown): string {
  if (error instanceof ApiError || error instanceof SignInError || error instanceof CsvError) return error.message;
  if (error instanceof SignedOut) return "You are signed out.";
  return "Something went wrong in the console. Reload the page.";
}
