import { useState } from "preact/hooks";
import { message } from "./errors";
import { SignedOut } from "./session";

export interface Action<A extends unknown[]> {
  readonly busy: boolean;
  /** Why it failed last, for staff; null if it did not. */
  readonly error: string | null;
  readonly run: (...given: A) => void;
}

/** Something that a button does: once at a time, with an error of its own. */
export function useAction<A extends unknown[]>(act: (...given: A) => Promise<void>): Action<A> {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);

  const run = async (...given: A) => {
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      await act(...given);
    } catch (failure) {
      if (!(failure instanceof SignedOut)) setError(message(failure));
    } finally {
      setBusy(false);
    }
  };

  return { busy, error, run: (...given) => void run(...given) };
}
