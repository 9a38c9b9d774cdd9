/** Numbers that are tried out: taken off sale for a while, to be sent an SMS from a telephone. */

import { type Schemas, api } from "./api";

export type TestSms = Schemas["TestSmsView"];

/** A number that is being tried out. */
export interface Test {
  readonly phone: string;
  /** When it began, by the stack's clock (ms). */
  readonly since: number;
  /** When it ends, by this browser's clock (ms). */
  readonly endsAt: number;
}

/** How long a number is off sale for it (ms). */
export const TEST_FOR = 5 * 60_000;

export function isOver({ endsAt }: Test): boolean {
  return Date.now() >= endsAt;
}

/** Looks for what came in for a test; asks for texts only when something has come, since each look is recorded. */
export class TestReader {
  readonly #test: Test;
  #seen = "";
  #found: readonly TestSms[] = [];

  constructor(test: Test) {
    this.#test = test;
  }

  /** Return what has come by now, newest first. Throws ApiError. */
  async read(signal: AbortSignal): Promise<readonly TestSms[]> {
    const seen = (await this.#look("hidden", signal)).map(({ smsId, repeats }) => `${smsId} ${repeats}`).join();
    if (seen === this.#seen) return this.#found;
    this.#found = await this.#look("shown", signal);
    this.#seen = seen;
    return this.#found;
  }

  async #look(texts: "hidden" | "shown", signal: AbortSignal): Promise<readonly TestSms[]> {
    const { phone, since } = this.#test;
    const { messages } = await api.get("/admin/tests", { query: { texts }, signal });
    return messages.filter((sms) => sms.phone === phone && Date.parse(sms.arrivedAt) >= since);
  }
}
