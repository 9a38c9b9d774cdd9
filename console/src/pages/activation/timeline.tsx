import type { ComponentChildren } from "preact";
import type { Schemas } from "../../api";
import { OUTCOMES } from "../../components/outcome";
import { Time } from "../../components/time";
import { Attempt, answerTo } from "./attempt";
import { Sms } from "./sms";

type ActivationWithSms = Schemas["ActivationDetails"];
type SmsDetails = Schemas["SmsView"];

interface TimelineProps {
  readonly activation: ActivationWithSms;
  /** The SMS whose texts were shown, as they were then. */
  readonly revealed: ReadonlyMap<string, SmsDetails>;
  readonly onReveal: (smsId: string) => Promise<void>;
  readonly onPushed: () => void;
}

/** Something that happened: when, and in which order among events of the same second. */
interface Event {
  readonly key: string;
  readonly at: string;
  readonly rank: number;
  readonly kind: "plain" | "good" | "bad";
  readonly content: ComponentChildren;
}

export function Timeline({ activation, revealed, onReveal, onPushed }: TimelineProps) {
  const { messages } = activation;
  const smsEvents = messages.flatMap((sms, index) => {
    const title = messages.length > 1 ? `SMS ${index + 1}` : "SMS";
    const shown = revealed.get(sms.smsId) ?? null;
    const arrival: Event = {
      key: sms.smsId,
      at: sms.storedAt,
      rank: 1,
      kind: "plain",
      content: (
        <Sms
          activation={activation}
          sms={sms}
          title={title}
          revealed={shown}
          onReveal={() => onReveal(sms.smsId)}
          onPushed={onPushed}
        />
      ),
    };
    return [arrival, ...attemptEvents(sms, shown, messages.length > 1 ? `of ${title}` : "")];
  });
  const events = [
    ...leaseEvents(activation),
    ...overdueEvents(activation),
    ...lineEvents(activation),
    ...smsEvents,
    ...finishEvents(activation),
  ].sort((one, other) => one.at.localeCompare(other.at) || one.rank - other.rank);

  return (
    <ol class="timeline" aria-labelledby="timeline">
      {events.map(({ key, at, kind, content }) => (
        <li key={key} class={`event-${kind}`}>
          <p class="when">
            <Time at={at} />
          </p>
          <div class="what">{content}</div>
        </li>
      ))}
    </ol>
  );
}

function leaseEvents({ startedAt, expiresAt, finishedAt, state }: ActivationWithSms): Event[] {
  const start: Event = {
    key: "issued",
    at: startedAt,
    rank: 0,
    kind: "plain",
    content: (
      <p>
        <strong>Issued</strong>: the number is held for the partner.
      </p>
    ),
  };
  // One that was finished in time never expired.
  if (finishedAt !== null && finishedAt <= expiresAt) return [start];
  const expiry: Event = {
    key: "expires",
    at: expiresAt,
    rank: 3,
    kind: "plain",
    content:
      state === "live" ? (
        <p class="quiet">Expires, unless finished before.</p>
      ) : (
        <p>
          <strong>Expired</strong>: the number was no longer held.
        </p>
      ),
  };
  return [start, expiry];
}

function overdueEvents({ overdueSince }: ActivationWithSms): Event[] {
  if (overdueSince === null) return [];
  return [
    {
      key: "overdue",
      at: overdueSince,
      rank: 3,
      kind: "bad",
      content: (
        <p>
          <strong>Overdue</strong>: the partner should have finished it. The number stays held.
        </p>
      ),
    },
  ];
}

function lineEvents({ lineOfflineAt }: ActivationWithSms): Event[] {
  if (lineOfflineAt === null) return [];
  return [
    {
      key: "line",
      at: lineOfflineAt,
      rank: 1,
      kind: "bad",
      content: (
        <p>
          <strong>Line went offline</strong> during the sale: no SMS arrives until it is back.
        </p>
      ),
    },
  ];
}

function finishEvents({ finishedAt, outcome }: ActivationWithSms): Event[] {
  if (finishedAt === null || outcome === null) return [];
  return [
    {
      key: "finished",
      at: finishedAt,
      rank: 4,
      kind: outcome === 3 ? "good" : outcome === 1 ? "bad" : "plain",
      content: (
        <p>
          <strong>Finished</strong> by the partner: {OUTCOMES[outcome]}.
        </p>
      ),
    },
  ];
}

function attemptEvents(sms: SmsDetails, revealed: SmsDetails | null, suffix: string): Event[] {
  return sms.attemptLog.flatMap((attempt, index) => {
    const event: Event = {
      key: `${sms.smsId} ${attempt.number}`,
      at: attempt.startedAt,
      rank: 2,
      kind: attempt.outcome === "delivered" ? "good" : "bad",
      content: <Attempt attempt={attempt} answer={answerTo(attempt, revealed)} suffix={suffix} />,
    };
    const missing = (sms.attemptLog[index - 1]?.number ?? 0) + 1;
    if (missing === attempt.number) return [event];
    const last = attempt.number - 1;
    const gap: Event = {
      key: `${sms.smsId} before ${attempt.number}`,
      at: attempt.startedAt,
      rank: 2,
      kind: "plain",
      content: (
        <p class="quiet">
          {missing === last ? `Push ${last}` : `Pushes ${missing} to ${last}`} {suffix}: no longer kept.
        </p>
      ),
    };
    return [gap, event];
  });
}
