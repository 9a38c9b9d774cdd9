import type { ComponentChildren } from "preact";
import type { Data } from "../data";
import { Badge } from "./badge";
import { Time } from "./time";

/** An error, and a way to try again where there is one. */
export function Failure({ text, onRetry }: { text: string; onRetry?: () => void }) {
  return (
    <div class="failure" role="alert">
      <p>{text}</p>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** That something went well. */
export function Success({ children }: { children: ComponentChildren }) {
  return (
    <p class="done" role="status">
      {children}
    </p>
  );
}

/** That something was done, and what may be wrong with it. */
export function Warning({ children }: { children: ComponentChildren }) {
  return (
    <p role="status">
      <Badge tone="warn">Warning</Badge> {children}
    </p>
  );
}

/** Data of the API: whether it is loading, its error, or what `children` makes of it. */
export function Loaded<T>({ data, children }: { data: Data<T>; children: (value: T) => ComponentChildren }) {
  return (
    <>
      {data.error !== null && <Failure text={data.error} onRetry={data.reload} />}
      {data.value !== undefined
        ? children(data.value)
        : data.error === null && (
            <p class="quiet" role="status">
              Loading…
            </p>
          )}
    </>
  );
}

/** When data that refreshes itself was last read. */
export function UpdatedAt({ at, loading }: { at: number | null; loading: boolean }) {
  return <p class="quiet">{at === null ? loading ? "Loading…" : "" : <>Updated <Time at={at} short /></>}</p>;
}
