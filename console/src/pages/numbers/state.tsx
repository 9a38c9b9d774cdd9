import type { Schemas } from "../../api";
import { Badge } from "../../components/badge";
import { Time } from "../../components/time";

/** What withdrawing and restoring do, for the question before it. */
export const WITHDRAWING = "Withdrawn numbers are not sold until they are restored. Live activations are not affected.";
export const RESTORING = "Restored numbers go back on sale as soon as nothing holds them.";

/** What saying that a line is online does. */
export const PUTTING_ONLINE =
  "The number goes back on sale as soon as nothing holds it, unless it is withdrawn. What its device has said so far no " +
  "longer counts; the line is offline again once it goes offline anew.";

const OFFLINE: Readonly<Record<Schemas["OfflineView"]["reason"], string>> = {
  reported: "its device says so",
  silent: "its device is silent",
};

export function NumberState({ number }: { number: Schemas["NumberView"] }) {
  const { offline } = number;
  return (
    <span class="badges">
      {!number.enabled && <Badge tone="bad">Withdrawn</Badge>}
      {offline !== null && (
        <span>
          <Badge tone="bad">Offline</Badge> since <Time at={offline.since} />: {OFFLINE[offline.reason]}
        </span>
      )}
      {number.heldUntil !== null && (
        <Badge tone="warn">
          Held until <Time at={number.heldUntil} short />
        </Badge>
      )}
      {number.restingUntil !== null && (
        <Badge>
          Resting until <Time at={number.restingUntil} short />
        </Badge>
      )}
      {number.enabled && offline === null && number.heldUntil === null && number.restingUntil === null && (
        <Badge tone="good">Free</Badge>
      )}
    </span>
  );
}
