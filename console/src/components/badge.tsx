import type { ComponentChildren } from "preact";

export type Tone = "plain" | "good" | "warn" | "bad";

/** A state in a word or two; colour alone never tells it. */
export function Badge({ tone = "plain", children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`badge badge-${tone}`}>{children}</span>;
}
