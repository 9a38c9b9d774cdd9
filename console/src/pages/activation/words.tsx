// The words for states of activations and pushes.

import type { Schemas } from "../../api";
import { Badge, type Tone } from "../../components/badge";

type PushState = Schemas["SmsView"]["pushState"];

/** By which states activations are listed; overdue ones are live, too. */
export const STATES: readonly (readonly [Schemas["ActivationView"]["state"] | "overdue", string])[] = [
  ["live", "Live"],
  ["overdue", "Overdue"],
  ["expired", "Expired"],
  ["finished", "Finished"],
];

const PUSH_STATES: Readonly<Record<PushState, readonly [string, Tone]>> = {
  pending: ["Waiting to be pushed", "warn"],
  delivered: ["Delivered", "good"],
  stopped: ["Pushing stopped", "plain"],
  "no-url": ["No Push URL", "plain"],
};

/** Whether an SMS was pushed. */
export function PushBadge({ state }: { state: PushState }) {
  const [word, tone] = PUSH_STATES[state];
  return <Badge tone={tone}>{word}</Badge>;
}
