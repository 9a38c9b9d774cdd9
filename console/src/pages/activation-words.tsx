// What states of activations and of pushes are called.

import type { Schemas } from "../api";
import { Badge, type Tone } from "../components/badge";

type PushState = Schemas["SmsView"]["pushState"];

export const STATES: readonly (readonly [Schemas["ActivationView"]["state"], string])[] = [
  ["live", "Live"],
  ["expired", "Expired"],
  ["finished", "Finished"],
];

const PUSH_STATES: Readonly<Record<PushState, readonly [string, Tone]>> = {
  pending: ["Waits to be pushed", "warn"],
  delivered: ["Delivered", "good"],
  stopped: ["Pushing has stopped", "plain"],
  "no-url": ["No Push URL", "plain"],
};

/** Where the pushing of an SMS stands. */
export function PushBadge({ state }: { state: PushState }) {
  const [word, tone] = PUSH_STATES[state];
  return <Badge tone={tone}>{word}</Badge>;
}
