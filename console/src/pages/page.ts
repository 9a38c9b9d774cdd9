import type { ComponentChildren } from "preact";
import type { Config } from "../config";

/** A page of the console, as pages/index.ts lists it. */
export interface Page {
  /** Its address, such as `/partners/:partnerId`. */
  readonly route: string;
  readonly title: string;
  /** Its entry in the menu; without it, it is reached from another page. */
  readonly menu?: string;
  /** Whether this deployment has it; absent: always. */
  readonly when?: (config: Config) => boolean;
  readonly view: (props: { readonly params: Readonly<Record<string, string>> }) => ComponentChildren;
}
