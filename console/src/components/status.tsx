import type { ComponentChildren } from "preact";
import type { Data } from "../data";
import { Time } from "./time";

/** A failure, with what can be done about it. */
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

/** Something that went well, said once it has. */
export function Done({ children }: { children: ComponentChildren }) {
  return (
    <p class="done" role="status">
      {children}
    </p>
  );
}

/** Data of the API: a word while it is awaited, what went wrong, or what `children` makes of it. */
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

/** When data that updates itself was read last. */
export function Updated({ at, loading }: { at: number | null; loading: boolean }) {
  return <p class="quiet">{at === null ? loading ? "Loading…" : "" : <>Updated <Time at={at} short /></>}</p>;
}
