import type { ComponentChildren } from "preact";
import type { Config } from "../config";

/** A page of the console, as pages/index.ts lists it. */
export interface Page {
  /** Where it is, as `/partners/:partnerId`. */
  readonly route: string;
  readonly title: string;
  /** Its word in the menu; without it, it is reached from another page. */
  readonly menu?: string;
  /** Whether this deployment has it; always, if absent. */
  readonly when?: (config: Config) => boolean;
  readonly view: (props: { readonly params: Readonly<Record<string, string>> }) => ComponentChildren;
}
