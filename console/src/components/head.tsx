import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

/** A page's heading, with what can be done there. */
export function Head({ title, children }: { title: ComponentChildren; children?: ComponentChildren }) {
  return (
    <div class="head">
      <h1>{title}</h1>
      {children && <div class="buttons">{children}</div>}
    </div>
  );
}

/** Name the page in the browser's own places. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · GlobalConnect`;
  }, [title]);
}
