/** The partner's key: in the memory of this tab and its sessionStorage, never in an address. */

import { config } from "../config";
import { type Answer, ApiError, refusalIn, request } from "../http";
import { Store } from "../store";
import type { Forms, Names } from "./forms";

export interface Holder {
  readonly key: string;
  /** The partner's name; null until it was read. */
  readonly name: string | null;
  /** Its own forms, and names below; null until they were read, and if they could not be. */
  readonly forms: Forms | null;
  readonly names: Names | null;
}

/** What is known of a link that the page was opened with; null without one. */
export type Link = "opening" | "opened" | "gone" | { readonly failed: string; readonly token: string };

const KEPT_IN = `globalconnect.partner ${config.api}`;
// The fragment of staff's links; others are places on the page. What a mail or a chat has added to its end is no part of the
// token, and leaves the address with it.
const LINK = /^#(gclink_[A-Za-z0-9]*(?:_[A-Za-z0-9]*)?)/;

export const holder = new Store<Holder | null>(kept());
export const link = new Store<Link | null>(null);

/** Use a key from now on; null forgets it. */
export function hold(held: Holder | null): void {
  try {
    if (held) sessionStorage.setItem(KEPT_IN, JSON.stringify(held));
    else sessionStorage.removeItem(KEPT_IN);
  } catch {
    // No storage: it is gone when the page is.
  }
  holder.set(held);
}

/** Take the token of a link out of the address, before anything else happens, and open the link. Return whether there was one. */
export function takeLink(): boolean {
  const token = LINK.exec(location.hash)?.[1];
  if (!token) return false;
  history.replaceState(null, "", location.pathname);
  void openLink(token);
  return true;
}

/** Exchange the token of a link for the key that it is for. */
export async function openLink(token: string): Promise<void> {
  link.set("opening");
  try {
    const answer = await post("link", { token });
    if (answer.status === 404) {
      link.set("gone");
      // A key may be here from before.
      return await readOwn();
    }
    if (!answer.isSuccess) throw new ApiError(answer.status, refusalIn(answer));
    hold(answer.content as Holder);
    link.set("opened");
  } catch (error) {
    link.set({ failed: error instanceof ApiError ? error.message : "The answer can't be read.", token });
  }
}

/** Read what the partner whose key is used has of its own. What was known of it stays if that fails. */
export async function readOwn(): Promise<void> {
  const held = holder.value;
  if (!held) return;
  try {
    const answer = await post("forms", { key: held.key });
    // Another key may be used by now, or a link have told more.
    if (answer.isSuccess && holder.value === held) hold({ ...(answer.content as Omit<Holder, "key">), key: held.key });
  } catch {
    // Who tries a request is told of what fails.
  }
}

function post(path: string, body: object): Promise<Answer> {
  const headers = { "Content-Type": "application/json" };
  return request(`${config.api}/partner/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
}

function kept(): Holder | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT_IN) ?? "null") as Holder | null;
  } catch {
    return null;
  }
}
