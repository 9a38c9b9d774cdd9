/** A request to the stack, whoever it is from, and its answer. */

/** A request that failed. */
export class ApiError extends Error {
  /** The HTTP status; 0 when no answer came. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }

  /** The field that a refusal names, and what was expected of it. */
  get field(): { name: string; expected: string } | null {
    const named = this.status === 400 ? /^([A-Za-z.]+): (.+)$/s.exec(this.message) : null;
    return named ? { name: named[1] ?? "", expected: named[2] ?? "" } : null;
  }
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** What the text says as JSON; undefined when it is none. */
  readonly content: unknown;
  readonly isSuccess: boolean;
}

export const NO_ANSWER = "The stack is not responding.";

// The gateway gives up after 29 s (ms).
const TIMEOUT = 35_000;

/** Send a request and return its answer, of any status. Throws ApiError when none comes. */
export async function request(url: string, init: RequestInit, signal?: AbortSignal): Promise<Answer> {
  const timeout = AbortSignal.timeout(TIMEOUT);
  const ended = signal ? AbortSignal.any([signal, timeout]) : timeout;
  try {
    const response = await fetch(url, { ...init, cache: "no-store", signal: ended });
    const text = await response.text();
    return { status: response.status, text, content: parsed(text), isSuccess: response.ok };
  } catch (error) {
    // The caller no longer waits for it.
    if (signal?.aborted) throw error;
    throw new ApiError(0, NO_ANSWER);
  }
}

/** Return why a request was refused, in the API's words if it gave any. */
export function refusalIn({ status, content }: Answer): string {
  const said = content as { message?: unknown; error?: unknown } | null | undefined;
  const message = said?.message ?? said?.error;
  return typeof message === "string" ? message : `The stack answered ${status}. Try again.`;
}

/** Return the content of a JSON text, undefined for any other. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
