/** What the role of who is signed in allows. The API decides; here is known beforehand what it will refuse. */

import { type Route, type Schemas, api, refusalsOfRole } from "./api";
import { staff } from "./session";
import { Store, useStore } from "./store";

export type Role = Schemas["MeView"]["role"];

/** What has a role of its own: a route of the API, or the texts that several of them show. */
export type Deed = Route | "texts";

/** JSON, written here from docs/openapi.json when the console is built. */
declare const DESCRIBED: string;
const { roles, needed } = JSON.parse(DESCRIBED) as {
  /** Each may do all that those before it may. */
  readonly roles: readonly Role[];
  /** The least role of each deed; what is not in it, every role may do. */
  readonly needed: Readonly<Record<string, Role>>;
};

/** The role of who is signed in; null while it is not known, and then nothing is held back. */
const role = new Store<Role | null>(null);

staff.subscribe(() => role.set(null));
refusalsOfRole.subscribe(() => void readRole());

/** Ask for the role again: an owner may have changed it. */
export async function readRole(): Promise<void> {
  const me = await api.get("/admin/me").catch(() => null);
  if (me) role.set(me.role);
}

/** Return the role that a deed needs and who is signed in does not have, null when they may do it. */
export function useMissing(deed: Deed | undefined): Role | null {
  const mine = useStore(role);
  const least = deed && needed[deed];
  if (!least || mine === null) return null;
  return roles.indexOf(mine) < roles.indexOf(least) ? least : null;
}

/** Return what is said of something that needs another role. */
export function needs(role: Role): string {
  return `This needs the role ${role}`;
}
