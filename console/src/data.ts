/** What pages show: read from the API, and again on request, after some time, or when the stack is back. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { recoveries } from "./api";
import { message } from "./errors";
import { ApiError } from "./http";
import { SignedOut } from "./session";
import { useStore } from "./store";

export interface Data<T> {
  /** What was read last; stays while it is read again. */
  readonly value: T | undefined;
  /** Why the last read failed, for staff; null if it did not. */
  readonly error: string | null;
  readonly status: number | null;
  readonly loading: boolean;
  /** When `value` was read (ms); null before the first time. */
  readonly updatedAt: number | null;
  readonly reload: () => void;
}

const LONGEST_WAIT = 60_000;

/** Read data when the component appears and whenever one of `deps` changes. */
export function useData<T>(load: (signal: AbortSignal) => Promise<T>, deps: readonly unknown[]): Data<T> {
  return usePolling(load, null, deps);
}

/**
 * The same, and again every `seconds` (null: never). It stops while the tab is hidden, and backs off while reads
 * fail.
 */
export function usePolling<T>(
  load: (signal: AbortSignal) => Promise<T>,
  seconds: number | null,
  deps: readonly unknown[],
): Data<T> {
  const [state, setState] = useState<Omit<Data<T>, "reload">>(NOTHING_YET);
  const [asked, setAsked] = useState(0);
  const recovered = useStore(recoveries);
  const loading = useRef(load);
  loading.current = load;
  const shown = useRef<readonly unknown[] | null>(null);

  useEffect(() => {
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wait = seconds === null ? 0 : seconds * 1000;
    let reading = false;
    // Nothing old is shown while other data is awaited.
    if (!shown.current || !same(shown.current, deps)) setState(NOTHING_YET);
    shown.current = deps;

    const read = async () => {
      clearTimeout(timer);
      if (reading || (document.hidden && seconds !== null)) return;
      reading = true;
      setState((before) => ({ ...before, loading: true }));
      try {
        const value = await loading.current(ended.signal);
        if (ended.signal.aborted) return;
        setState({ value, error: null, status: null, loading: false, updatedAt: Date.now() });
        wait = (seconds ?? 0) * 1000;
      } catch (error) {
        if (ended.signal.aborted || error instanceof SignedOut) return;
        const status = error instanceof ApiError ? error.status : null;
        setState((before) => ({ ...before, error: message(error), status, loading: false }));
        wait = Math.min(wait * 2, LONGEST_WAIT);
      } finally {
        reading = false;
      }
      if (seconds !== null) timer = setTimeout(() => void read(), wait);
    };
    const seen = () => {
      if (!document.hidden && seconds !== null) void read();
    };
    void read();
    document.addEventListener("visibilitychange", seen);
    return () => {
      ended.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [...deps, seconds, asked, recovered]);

  const reload = useCallback(() => setAsked((times) => times + 1), []);
  return { ...state, reload };
}

const NOTHING_YET = { value: undefined, error: null, status: null, loading: true, updatedAt: null };

function same(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((value, index) => Object.is(value, other[index]));
}
