import type { Schemas } from "../../api";
import { Badge } from "../../components/badge";
import { Time } from "../../components/time";

/** What withdrawing and restoring do, for the question before it. */
export const WITHDRAWING = "Withdrawn numbers are not sold until they are restored. Live activations are not affected.";
export const RESTORING = "Restored numbers go back on sale as soon as nothing holds them.";

export function NumberState({ number }: { number: Schemas["NumberView"] }) {
  return (
    <span class="badges">
      {!number.enabled && <Badge tone="bad">Withdrawn</Badge>}
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
      {number.enabled && number.heldUntil === null && number.restingUntil === null && <Badge tone="good">Free</Badge>}
    </span>
  );
}
