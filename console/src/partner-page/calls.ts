/** A call that the page tries: whether it is under way, what came of it. */

import { useState } from "preact/hooks";
import { ApiError } from "../http";
import { CallRefused, type Exchange } from "../partner-calls";

export interface Trial<A extends unknown[]> {
  readonly busy: boolean;
  readonly error: string | null;
  readonly exchange: Exchange | null;
  readonly run: (...given: A) => void;
}

/** Something that sends one call at a time, and shows it and its answer. */
export function useTrial<A extends unknown[]>(send: (...given: A) => Promise<Exchange>): Trial<A> {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const [exchange, setExchange] = useState<Exchange | null>(null);

  const run = async (...given: A) => {
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      setExchange(await send(...given));
    } catch (failure) {
      setExchange(failure instanceof CallRefused ? failure.exchange : null);
      setError(failure instanceof ApiError ? failure.message : "Something went wrong on this page. Reload it.");
    } finally {
      setBusy(false);
    }
  };

  return { busy, error, exchange, run: (...given) => void run(...given) };
}
