import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Schemas, api, message as messageOf } from "../api";
import { announce } from "../components/announce";
import { HiddenText } from "../components/hidden-text";
import { ActivationOutcome, OUTCOMES, PushOutcome } from "../components/outcome";
import { Failure, Loaded, Updated } from "../components/status";
import { Time } from "../components/time";
import { usePolling } from "../data";
import { Head } from "../layout";
import { hrefTo } from "../router";
import { SignedOut } from "../session";
import { PushBadge } from "./activation-words";
import { Pool } from "./activations";
import type { Page } from "./page";
import { usePartnerName } from "./partner-names";

type Sale = Schemas["ActivationDetails"];
type Message = Schemas["SmsView"];
type Attempt = Schemas["AttemptView"];

export const activation: Page = { route: "/activations/:activationId", title: "Activation", view: Activation };

const EVERY_SECONDS = 5;

function Activation({ params }: { params: Readonly<Record<string, string>> }) {
  const activationId = params["activationId"] ?? "";
  const [watching, setWatching] = useState(true);
  const [looked, setLooked] = useState<ReadonlyMap<string, Message>>(new Map());
  const sale = usePolling<Sale>(
    (signal) =>
      api.get("/admin/activations/{activationId}", { path: { activationId }, query: { texts: "hidden" }, signal }),
    watching ? EVERY_SECONDS : null,
    [activationId],
  );
  const gone = sale.status === 404 || sale.status === 400;
  useEffect(() => {
    setWatching(!gone && (sale.value === undefined || goesOn(sale.value)));
  }, [sale.value, gone]);

  const showText = async (smsId: string) => {
    const shown = await api.get("/admin/activations/{activationId}", {
      path: { activationId },
      query: { texts: smsId },
    });
    const message = shown.messages.find((one) => one.smsId === smsId);
    if (message) setLooked((known) => new Map(known).set(smsId, message));
    announce("The SMS text is shown");
  };

  return (
    <>
      <Head title={`Activation ${activationId}`}>
        <a href={hrefTo("activations")}>All activations</a>
      </Head>
      {gone ? (
        <p class="empty">There is no such activation. Old ones are purged.</p>
      ) : (
        <Loaded data={sale}>
          {(value) => (
            <>
              <Facts sale={value} />
              <h2 id="timeline">Timeline</h2>
              <Timeline sale={value} looked={looked} onShow={showText} onPushed={sale.reload} />
              {watching && <Updated at={sale.updatedAt} loading={sale.loading} />}
            </>
          )}
        </Loaded>
      )}
    </>
  );
}

function Facts({ sale }: { sale: Sale }) {
  const partner = usePartnerName(sale.partnerId);
  return (
    <dl class="card sale-facts">
      <Fact title="State">
        <ActivationOutcome activation={sale} />
      </Fact>
      <Fact title="Number">
        <a href={hrefTo("numbers", sale.phone)}>{sale.phone}</a>
      </Fact>
      <Fact title="Service">{sale.service}</Fact>
      <Fact title="Pool">
        <Pool country={sale.country} operator={sale.operator} />
      </Fact>
      <Fact title="Partner">
        <a href={hrefTo("partners", sale.partnerId)}>
          <bdi>{partner}</bdi>
        </a>
      </Fact>
      <Fact title="SMS">
        {sale.messages.length === sale.messageCount
          ? sale.messageCount || "None"
          : `${sale.messageCount}, the newest ${sale.messages.length} of them below`}
      </Fact>
      {sale.sum !== null && (
        <Fact title="Sum, as the partner says">
          <bdi>
            {sale.sum} {sale.currency}
          </bdi>
        </Fact>
      )}
    </dl>
  );
}

function Fact({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface TimelineProps {
  readonly sale: Sale;
  /** The SMS that were looked at, as they were then. */
  readonly looked: ReadonlyMap<string, Message>;
  readonly onShow: (smsId: string) => Promise<void>;
  readonly onPushed: () => void;
}

/** Something that happened: when, and in which order to others of the same second. */
interface Happening {
  readonly key: string;
  readonly at: string;
  readonly rank: number;
  readonly kind: "plain" | "good" | "bad";
  readonly shown: ComponentChildren;
}

function Timeline({ sale, looked, onShow, onPushed }: TimelineProps) {
  const several = sale.messages.length > 1;
  const happened = [
    ...ends(sale),
    ...sale.messages.flatMap((message, index) => [
      {
        key: message.smsId,
        at: message.storedAt,
        rank: 1,
        kind: "plain" as const,
        shown: (
          <Arrived
            sale={sale}
            message={message}
            title={several ? `SMS ${index + 1}` : "SMS"}
            looked={looked.get(message.smsId) ?? null}
            onShow={() => onShow(message.smsId)}
            onPushed={onPushed}
          />
        ),
      },
      ...attemptsOf(message, looked.get(message.smsId) ?? null, several ? `of SMS ${index + 1}` : ""),
    ]),
  ].sort((one, other) => one.at.localeCompare(other.at) || one.rank - other.rank);

  return (
    <ol class="timeline" aria-labelledby="timeline">
      {happened.map(({ key, at, kind, shown }) => (
        <li key={key} class={`happened-${kind}`}>
          <p class="when">
            <Time at={at} />
          </p>
          <div class="what">{shown}</div>
        </li>
      ))}
    </ol>
  );
}

function ends(sale: Sale): Happening[] {
  const begun: Happening = {
    key: "issued",
    at: sale.startedAt,
    rank: 0,
    kind: "plain",
    shown: (
      <p>
        <strong>Issued</strong>: the number is held for the partner.
      </p>
    ),
  };
  const expires: Happening = {
    key: "expires",
    at: sale.expiresAt,
    rank: 3,
    kind: "plain",
    shown:
      sale.state === "live" ? (
        <p class="quiet">Expires, unless it is finished before.</p>
      ) : (
        <p>
          <strong>Expired</strong>: the number was no longer held.
        </p>
      ),
  };
  // One that was finished in its time never came to its end.
  const expired = sale.finishedAt === null || sale.finishedAt > sale.expiresAt;
  return [begun, ...(expired ? [expires] : []), ...finish(sale)];
}

function finish(sale: Sale): Happening[] {
  if (sale.finishedAt === null || sale.outcome === null) return [];
  return [
    {
      key: "finished",
      at: sale.finishedAt,
      rank: 4,
      kind: sale.outcome === 3 ? "good" : sale.outcome === 1 ? "bad" : "plain",
      shown: (
        <p>
          <strong>Finished</strong> by the partner: {OUTCOMES[sale.outcome]}.
        </p>
      ),
    },
  ];
}

/** Give the answer to an attempt, null if there was none yet when its SMS was looked at. */
function answerTo(attempt: Attempt, looked: Message | null): string | null {
  return looked?.attemptLog.find(({ number }) => number === attempt.number)?.answer ?? null;
}

function attemptsOf(message: Message, looked: Message | null, whose: string): Happening[] {
  const kept = message.attemptLog;
  return kept.flatMap((attempt, place) => {
    const made: Happening = {
      key: `${message.smsId} ${attempt.number}`,
      at: attempt.startedAt,
      rank: 2,
      kind: attempt.outcome === "delivered" ? "good" : "bad",
      shown: <Tried attempt={attempt} answer={answerTo(attempt, looked)} whose={whose} />,
    };
    const missing = (kept[place - 1]?.number ?? 0) + 1;
    if (missing === attempt.number) return [made];
    const last = attempt.number - 1;
    const gap: Happening = {
      key: `${message.smsId} before ${attempt.number}`,
      at: attempt.startedAt,
      rank: 2,
      kind: "plain",
      shown: (
        <p class="quiet">
          {missing === last ? `Push ${last}` : `Pushes ${missing} to ${last}`} {whose}: no longer kept.
        </p>
      ),
    };
    return [gap, made];
  });
}

interface ArrivedProps {
  readonly sale: Sale;
  readonly message: Message;
  readonly title: string;
  readonly looked: Message | null;
  readonly onShow: () => Promise<void>;
  readonly onPushed: () => void;
}

function Arrived({ sale, message, title, looked, onShow, onPushed }: ArrivedProps) {
  const isNewer = looked !== null && message.attemptLog.some((attempt) => answerTo(attempt, looked) === null);
  const label = title === "SMS" ? "SMS text" : `text of ${title}`;
  return (
    <>
      <p>
        <strong>{title}</strong> from <bdi class="foreign">{message.phoneFrom}</bdi>{" "}
        <PushBadge state={message.pushState} />
      </p>
      {message.receivedAt !== message.storedAt && (
        <p class="quiet">
          The gateway received it at <Time at={message.receivedAt} />
        </p>
      )}
      <div class="sms">
        <HiddenText text={looked?.text ?? null} label={label} onShow={onShow} />
        {looked === null && (
          <span class="quiet">Answers to its pushes come with it. That you looked is recorded in the audit log.</span>
        )}
        {isNewer && <HiddenText text={null} label="newer answers" onShow={onShow} />}
      </div>
      {sale.state === "finished" ? (
        message.pushState !== "delivered" && <p class="quiet">Finished: nothing is pushed any more.</p>
      ) : (
        <PushAgain activationId={sale.activationId} message={message} title={title} onPushed={onPushed} />
      )}
    </>
  );
}

interface PushAgainProps {
  readonly activationId: number;
  readonly message: Message;
  readonly title: string;
  readonly onPushed: () => void;
}

function PushAgain({ activationId, message, title, onPushed }: PushAgainProps) {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const [asked, setAsked] = useState(false);

  const push = async () => {
    if (busy) return;
    setBusy(true);
    setFailed(null);
    setAsked(false);
    try {
      await api.post("/admin/activations/{activationId}/messages/{smsId}/push", {
        path: { activationId, smsId: message.smsId },
      });
      setAsked(true);
      onPushed();
    } catch (error) {
      if (!(error instanceof SignedOut)) setFailed(messageOf(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <div class="push-again">
      <button type="button" aria-disabled={busy} aria-label={`Push again: ${title}`} onClick={() => void push()}>
        {busy ? "One moment…" : "Push again"}
      </button>
      <span class="quiet" role="status">
        {asked && "It is queued, and will be here when it was tried."}
      </span>
      {failed !== null && <Failure text={failed} />}
    </div>
  );
}

interface TriedProps {
  readonly attempt: Attempt;
  /** The beginning of what the partner answered, null while it is hidden. */
  readonly answer: string | null;
  readonly whose: string;
}

function Tried({ attempt, answer, whose }: TriedProps) {
  return (
    <>
      <p>
        <strong>Push {attempt.number}</strong> {whose} <PushOutcome outcome={attempt.outcome} />
      </p>
      <p class="quiet">
        {attempt.httpStatus === null ? "No HTTP status" : `HTTP ${attempt.httpStatus}`}, {attempt.durationMs} ms
      </p>
      {answer === null && <p class="quiet">Its answer is hidden with the SMS text.</p>}
      {answer && (
        <blockquote class="answer" aria-label="Beginning of the answer">
          <bdi class="foreign">{answer}</bdi>
        </blockquote>
      )}
    </>
  );
}

/** Whether more may still happen to it. */
function goesOn(sale: Sale): boolean {
  return sale.state === "live" || (sale.state === "expired" && sale.messages.some(isPending));
}

function isPending(message: Message): boolean {
  return message.pushState === "pending";
}
