/** What pages show: read from the API, read again when asked to, when time has passed, or when the stack comes back. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, cameBack, message } from "./api";
import { SignedOut } from "./session";
import { useStore } from "./store";

export interface Data<T> {
  /** What was read last; stays while it is read again. */
  readonly value: T | undefined;
  /** Why the last reading failed, for the operator; null when it did not. */
  readonly error: string | null;
  readonly status: number | null;
  readonly loading: boolean;
  /** When `value` was read (ms); null before the first time. */
  readonly updatedAt: number | null;
  readonly reload: () => void;
}

const LONGEST_PAUSE = 60_000;

/** Read data when the component appears and whenever one of `deps` changes. */
export function useData<T>(load: (signal: AbortSignal) => Promise<T>, deps: readonly unknown[]): Data<T> {
  return usePolling(load, null, deps);
}

/**
 * The same, and again every `seconds` (null: never). It pauses while the tab is hidden, and waits longer and longer while
 * the reading fails.
 */
export function usePolling<T>(
  load: (signal: AbortSignal) => Promise<T>,
  seconds: number | null,
  deps: readonly unknown[],
): Data<T> {
  const [state, setState] = useState<Omit<Data<T>, "reload">>(NOTHING_YET);
  const [asked, setAsked] = useState(0);
  const back = useStore(cameBack);
  const loading = useRef(load);
  loading.current = load;
  const shown = useRef<readonly unknown[] | null>(null);

  useEffect(() => {
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let pause = seconds === null ? 0 : seconds * 1000;
    let reading = false;
    // Of another question nothing is shown while its answer is awaited.
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
        pause = (seconds ?? 0) * 1000;
      } catch (error) {
        if (ended.signal.aborted || error instanceof SignedOut) return;
        const status = error instanceof ApiError ? error.status : null;
        setState((before) => ({ ...before, error: message(error), status, loading: false }));
        pause = Math.min(pause * 2, LONGEST_PAUSE);
      } finally {
        reading = false;
      }
      if (seconds !== null) timer = setTimeout(() => void read(), pause);
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
  }, [...deps, seconds, asked, back]);

  const reload = useCallback(() => setAsked((times) => times + 1), []);
  return { ...state, reload };
}

const NOTHING_YET = { value: undefined, error: null, status: null, loading: true, updatedAt: null };

function same(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((value, index) => Object.is(value, other[index]));
}
