import type { Schemas } from "../api";
import { Badge } from "./badge";

const PUSH_OUTCOMES: Readonly<Record<string, string>> = {
  delivered: "Delivered",
  refused_answer: "Answer is not SUCCESS",
  http_status: "Other HTTP status",
  timeout: "Timed out",
  connection: "No connection",
  tls: "TLS failed",
  forbidden_address: "Address not allowed",
  answer_too_large: "Answer too large",
  bad_url: "URL not allowed",
  stop_word: "Told to stop",
};

export const OUTCOMES: Readonly<Record<number, string>> = { 1: "Prohibited", 3: "Success", 4: "Canceled", 5: "Returned" };

/** How a push attempt ended. */
export function PushOutcome({ outcome }: { outcome: string }) {
  return <Badge tone={outcome === "delivered" ? "good" : "bad"}>{PUSH_OUTCOMES[outcome] ?? outcome}</Badge>;
}

/** An activation's outcome, or its state while it has none, and whether its number's line went offline meanwhile. */
export function ActivationOutcome({ activation }: { activation: Schemas["ActivationView"] }) {
  return (
    <span class="badges">
      <Outcome activation={activation} />
      {activation.lineOfflineAt !== null && <Badge tone="bad">Line went offline</Badge>}
    </span>
  );
}

function Outcome({ activation }: { activation: Schemas["ActivationView"] }) {
  const { outcome, state, overdueSince } = activation;
  if (outcome !== null) return <Badge tone={outcome === 3 ? "good" : "plain"}>{OUTCOMES[outcome] ?? outcome}</Badge>;
  if (overdueSince !== null) return <Badge tone="bad">Overdue</Badge>;
  return state === "live" ? <Badge tone="warn">Live</Badge> : <Badge>Expired</Badge>;
}
