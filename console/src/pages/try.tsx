import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, type Schemas, api } from "../api";
import { announce } from "../components/announce";
import { Confirm } from "../components/dialog";
import { FieldErrors, Form, SelectField, TextField } from "../components/form";
import { OUTCOMES } from "../components/outcome";
import { Failure } from "../components/status";
import { Time } from "../components/time";
import { usePolling } from "../data";
import { Head } from "../layout";
import {
  CallRefused,
  type Exchange,
  type Source,
  adminExchange,
  deliver,
  partnerCall,
  pollSms,
} from "../partner-calls";
import { hrefTo } from "../router";
import { operator } from "../session";
import { Store, useStore } from "../store";
import type { Page } from "./page";

type Outcome = NonNullable<Schemas["ActivationView"]["outcome"]>;

export const tryIt: Page = {
  route: "/try",
  title: "Try it",
  menu: "Try it",
  when: (config) => config.tryIt,
  view: TryIt,
};

/** What stands in its place where a deployment has it off. */
export const tryItIsOff: Page = { route: "/try", title: "Try it", when: (config) => !config.tryIt, view: Off };

const NAME = "Try it";
const ANY = "any";
const POLL_SECONDS = 2;
const FIRST_TEXT = "Your code: 50151";

/** How many numbers can be had, by country, operator and service. */
type Choices = ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<string, number>>>;

type StepName = "key" | "choices" | "number" | "source" | "sms" | "outcome";

interface Sale {
  readonly activationId: number;
  readonly phone: string;
  readonly service: string;
  readonly sent: number;
  readonly outcome: Outcome | null;
}

/** What the page holds; of this tab only, and gone when it is loaded again or the operator signs out. */
interface Trial {
  readonly key: string | null;
  /** The partner that was made here; null when the key was pasted. */
  readonly partnerId: string | null;
  readonly source: Source | null;
  readonly choices: Choices | null;
  readonly sale: Sale | null;
  readonly exchanges: Readonly<Partial<Record<StepName, Exchange>>>;
}

/** A country in the answer to GET_SERVICES. */
interface Country {
  readonly country: string;
  readonly operatorMap: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

interface Message {
  readonly smsId: string;
  readonly phoneFrom: string;
  readonly text: string;
  readonly receivedAt: string;
}

const NOTHING: Trial = { key: null, partnerId: null, source: null, choices: null, sale: null, exchanges: {} };

const trial = new Store<Trial>(NOTHING);

operator.subscribe(() => {
  if (operator.value === null) trial.set(NOTHING);
});

/** Outcomes, the one that leaves nothing behind first. */
const ORDER: readonly Outcome[] = [5, 3, 4, 1];

/** What an outcome does to the number (contract 1.5). */
const EFFECTS: Readonly<Record<Outcome, string>> = {
  5: "The number is free again.",
  3: "The number is used up for this service.",
  4: "It counts: a number with too many is no longer sold for this service.",
  1: "The number is never sold for this service again.",
};

function Off() {
  return (
    <>
      <Head title="Try it" />
      <p class="empty">
        This page is off on this stack. It is switched on with the parameter <code>TryIt</code> of the deployment.
      </p>
    </>
  );
}

function TryIt() {
  const { key, choices, sale } = useStore(trial);
  const live = sale !== null && sale.outcome === null;
  return (
    <>
      <Head title="Try it" />
      <p class="lead">
        Play a partner and a telephone: take a number, send an SMS to it, see it arrive. Everything here is real:
        numbers are taken from the stock, and sales count.
      </p>
      <Made />
      <Step at={1} title="Be a partner" names={["key", "choices"]} here={key === null}>
        {key === null ? <KeyForm /> : <p>Calls are made with the key of {whose()}.</p>}
      </Step>
      <Step at={2} title="Take a number" names={["number"]} here={key !== null && sale === null}>
        {key === null ? (
          <p class="quiet">First, a key.</p>
        ) : choices === null ? (
          <AskAgain />
        ) : sale === null ? (
          <NumberForm key={[...choices.keys()].join()} choices={choices} />
        ) : (
          <p>
            <strong>{sale.phone}</strong> is yours for {sale.service}:{" "}
            <a href={hrefTo("activations", sale.activationId)}>activation {sale.activationId}</a>.
          </p>
        )}
      </Step>
      <Step at={3} title="Send an SMS to it" names={["source", "sms"]} here={live && sale.sent === 0}>
        {sale === null ? <p class="quiet">First, a number.</p> : <SmsForm sale={sale} />}
      </Step>
      <Step at={4} title="See it arrive" names={[]} here={false}>
        {sale === null || key === null ? (
          <p class="quiet">First, a number.</p>
        ) : (
          <Arrivals key={sale.activationId} apiKey={key} sale={sale} />
        )}
      </Step>
      <Step at={5} title="Finish the activation" names={["outcome"]} here={sale !== null && !(live && sale.sent === 0)}>
        {sale === null ? <p class="quiet">First, a number.</p> : <Finish sale={sale} />}
      </Step>
    </>
  );
}

/** What was made for the trial, with a button that removes it. */
function Made() {
  const { partnerId, source } = useStore(trial);
  const [asking, setAsking] = useState(false);
  const [removed, setRemoved] = useState(false);
  if (partnerId === null && source === null) {
    return (
      <p class="made quiet" role="status">
        {removed && "What was made here is removed."}
      </p>
    );
  }
  return (
    <div class="made card">
      <p>
        Made here: {partnerId !== null && <a href={hrefTo("partners", partnerId)}>the partner {NAME}</a>}
        {partnerId !== null && source !== null && " and "}
        {source !== null && <a href={hrefTo("sources")}>the source {NAME}</a>}. The key is kept by this page only, until
        you load it again.
      </p>
      <button type="button" onClick={() => setAsking(true)}>
        Remove what was made
      </button>
      {asking && (
        <Confirm
          title="Remove what was made here?"
          action="Remove"
          onConfirm={async () => {
            await removeAll();
            setRemoved(true);
            announce("Removed");
          }}
          onClose={() => setAsking(false)}
        >
          <p>
            A number that is still held is returned. The partner {NAME} is revoked and its source is removed. The
            activations stay.
          </p>
        </Confirm>
      )}
    </div>
  );
}

interface StepProps {
  readonly at: number;
  readonly title: string;
  /** The exchanges that belong to it. */
  readonly names: readonly StepName[];
  /** Whether it is the one to do now. */
  readonly here: boolean;
  readonly children: ComponentChildren;
}

function Step({ at, title, names, here, children }: StepProps) {
  const { exchanges } = useStore(trial);
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef(here);

  useEffect(() => {
    // The form of the step before is gone, and the focus with it.
    if (here && !before.current && document.activeElement === document.body) heading.current?.focus();
    before.current = here;
  }, [here]);

  return (
    <section class={`card step${here ? " here" : ""}`} aria-labelledby={`step-${at}`}>
      <h2 id={`step-${at}`} ref={heading} tabIndex={-1}>
        {at}. {title}
      </h2>
      {children}
      {names.map((name) => {
        const exchange = exchanges[name];
        return exchange && <Wire key={name} title={WIRES[name]} exchange={exchange} />;
      })}
    </section>
  );
}

const WIRES: Readonly<Record<StepName, string>> = {
  key: "Issuing the key",
  choices: "GET_SERVICES",
  number: "GET_NUMBER",
  source: "Making the source",
  sms: "Delivering the SMS",
  outcome: "FINISH_ACTIVATION",
};

/** A request and its answer, for who wants to look. */
function Wire({ title, exchange }: { title: string; exchange: Exchange }) {
  return (
    <details class="wire">
      <summary>
        {title}: request and answer <span class="quiet">(HTTP {exchange.status})</span>
      </summary>
      <h3>Request</h3>
      <pre class="foreign" tabIndex={0} role="region" aria-label={`${title}: request`}>
        {exchange.request}
      </pre>
      <h3>Answer</h3>
      <pre class="foreign" tabIndex={0} role="region" aria-label={`${title}: answer`}>
        {cut(exchange.answer)}
      </pre>
    </details>
  );
}

function KeyForm() {
  const [how, setHow] = useState<"issued" | "pasted">("issued");
  const [typed, setTyped] = useState("");

  const send = async () => {
    if (how === "issued") {
      const made = await noted("key", issueKey);
      // Without them there is a button that asks again.
      const choices = await noted("choices", () => choicesFor(made.key)).catch(() => null);
      change({ key: made.key, partnerId: made.partnerId, choices });
      return;
    }
    const key = typed.trim();
    if (!key) throw new FieldErrors({ key: "A partner's key" });
    try {
      const choices = await noted("choices", () => choicesFor(key));
      change({ key, partnerId: null, choices });
    } catch (error) {
      if (!(error instanceof CallRefused) || error.status !== 401) throw error;
      throw new FieldErrors({ key: "This key is not valid." });
    }
  };

  return (
    <Form submit="Go on" onSubmit={send} label="Be a partner">
      <SelectField
        name="how"
        label="With"
        value={how}
        options={[
          ["issued", `a key for a new partner “${NAME}”`],
          ["pasted", "a key that I have"],
        ]}
        onChange={setHow}
      />
      {how === "pasted" && (
        <TextField
          name="key"
          label="Key"
          hint="Kept by this page only."
          type="password"
          autocomplete="off"
          value={typed}
          onChange={setTyped}
          required
        />
      )}
    </Form>
  );
}

function NumberForm({ choices }: { choices: Choices }) {
  const [country, setCountry] = useState(first(choices.keys()));
  const [operatorName, setOperatorName] = useState(ANY);
  const services = servicesOf(choices, country, operatorName);
  const [picked, setPicked] = useState("");
  const service = services.has(picked) ? picked : best(services);

  if (choices.size === 0) {
    return (
      <>
        <p>
          Nothing is for sale to this key. It takes <a href={hrefTo("numbers")}>numbers</a> and{" "}
          <a href={hrefTo("services")}>services</a> that are on sale.
        </p>
        <AskAgain />
      </>
    );
  }

  const take = async () => {
    if (!service) throw new FieldErrors({ service: "No service is on sale here." });
    const { key } = trial.value;
    const taken = (await noted("number", () =>
      partnerCall(key ?? "", "GET_NUMBER", { country, operator: operatorName, service }),
    )) as { status?: string; number?: unknown; activationId?: number };
    if (taken.status !== "SUCCESS" || taken.activationId === undefined) {
      throw new FieldErrors({ service: "No number is left for it. Choose another, or ask again what is for sale." });
    }
    change({
      sale: { activationId: taken.activationId, phone: String(taken.number), service, sent: 0, outcome: null },
    });
    announce(`Number ${String(taken.number)} taken`);
  };

  return (
    <>
      <Form submit="Take a number" onSubmit={take} label="Take a number">
        <div class="filters">
          <SelectField
            name="country"
            label="Country"
            value={country}
            options={[...choices.keys()].map((name) => [name, name])}
            onChange={(name) => {
              setCountry(name);
              setOperatorName(ANY);
            }}
          />
          <SelectField
            name="operator"
            label="Operator"
            value={operatorName}
            options={[[ANY, "Any"], ...[...(choices.get(country)?.keys() ?? [])].map((name) => [name, name] as const)]}
            onChange={setOperatorName}
          />
          <SelectField
            name="service"
            label="Service"
            value={service}
            options={[...services].map(([code, count]) => [code, `${code} (${count})`])}
            onChange={setPicked}
          />
        </div>
      </Form>
      <AskAgain />
    </>
  );
}

function AskAgain() {
  const [failed, setFailed] = useState(false);
  const ask = async () => {
    setFailed(false);
    try {
      await askChoices();
      announce("Asked again");
    } catch {
      setFailed(true);
    }
  };
  return (
    <p class="ask-again">
      <button type="button" onClick={() => void ask()}>
        Ask again what is for sale
      </button>
      {failed && <span role="alert">That did not work. Try again.</span>}
    </p>
  );
}

function SmsForm({ sale }: { sale: Sale }) {
  const [from, setFrom] = useState("Telegram");
  const [text, setText] = useState(FIRST_TEXT);

  const send = async () => {
    if (!from.trim()) throw new FieldErrors({ from: "Who sends it" });
    const source = trial.value.source ?? (await noted("source", makeSource));
    change({ source });
    await noted("sms", () => deliver(source, { phone: sale.phone, from, text, id: crypto.randomUUID() }));
    const now = trial.value.sale;
    if (now?.activationId === sale.activationId) change({ sale: { ...now, sent: now.sent + 1 } });
    announce("SMS sent");
  };

  return (
    <Form submit="Send the SMS" onSubmit={send} label="Send an SMS">
      <p class="quiet">
        It is delivered as a gateway does it, signed with the secret of a source “{NAME}”; the first SMS makes that
        source.
        {sale.outcome !== null && " The activation is finished: an SMS goes to the unclaimed ones now."}
      </p>
      <TextField name="from" label="From" value={from} onChange={setFrom} required />
      <TextField name="text" label="Text" value={text} onChange={setText} />
      <p class="quiet" role="status">
        {sale.sent > 0 && `${sale.sent} sent.`}
      </p>
    </Form>
  );
}

function Arrivals({ apiKey, sale }: { apiKey: string; sale: Sale }) {
  const polled = usePolling(
    async (signal) => {
      const [answer, exchange] = await pollSms(apiKey, sale.activationId, signal);
      const { messages } = answer as { messages?: readonly Message[] };
      return { messages: messages ?? [], exchange };
    },
    sale.outcome === null ? POLL_SECONDS : null,
    [sale.activationId],
  );
  const messages = polled.value?.messages ?? [];
  return (
    <>
      {polled.error !== null && <Failure text={polled.error} onRetry={polled.reload} />}
      <div role="log" aria-label="SMS that arrived">
        {messages.length === 0 ? (
          <p class="quiet">
            {sale.outcome === null ? `None yet. getsms is asked every ${POLL_SECONDS} s.` : "None came."}
          </p>
        ) : (
          messages.map((message) => (
            <blockquote key={message.smsId} class="answer">
              <p>
                From <bdi class="foreign">{message.phoneFrom}</bdi>, <Time at={message.receivedAt} />
              </p>
              <p class="foreign">{message.text}</p>
            </blockquote>
          ))
        )}
      </div>
      {polled.value && <Wire title="getsms, asked last" exchange={polled.value.exchange} />}
    </>
  );
}

function Finish({ sale }: { sale: Sale }) {
  const [outcome, setOutcome] = useState<Outcome>(5);
  if (sale.outcome !== null) {
    return (
      <>
        <p>
          Finished: <strong>{OUTCOMES[sale.outcome]}</strong>.{" "}
          <a href={hrefTo("activations", sale.activationId)}>Look at its timeline</a>.
        </p>
        <div class="buttons">
          <button type="button" class="primary" onClick={takeAnother}>
            Take another number
          </button>
        </div>
      </>
    );
  }
  return (
    <Form submit="Finish" onSubmit={() => finishWith(sale, outcome)} label="Finish the activation">
      <SelectField
        name="status"
        label="Outcome"
        value={String(outcome)}
        hint={EFFECTS[outcome]}
        options={ORDER.map((code) => [String(code), OUTCOMES[code] ?? ""])}
        onChange={(code) => setOutcome(Number(code) as Outcome)}
      />
    </Form>
  );
}

/** Take what was given into the trial. */
function change(given: Partial<Trial>): void {
  trial.set({ ...trial.value, ...given });
}

/** Do something over the wire and keep its exchange, also of a refusal. */
async function noted<T>(name: StepName, call: () => Promise<[T, Exchange]>): Promise<T> {
  try {
    const [answer, exchange] = await call();
    change({ exchanges: { ...trial.value.exchanges, [name]: exchange } });
    return answer;
  } catch (error) {
    if (error instanceof CallRefused) change({ exchanges: { ...trial.value.exchanges, [name]: error.exchange } });
    throw error;
  }
}

async function issueKey(): Promise<[Schemas["PartnerWithKey"], Exchange]> {
  const made = await api.post("/admin/partners", { body: { name: NAME } });
  return [made, adminExchange("POST /admin/partners", { name: NAME }, 201, made, [made.key])];
}

async function makeSource(): Promise<[Source, Exchange]> {
  const body = { name: NAME, provider: "generic" } as const;
  const made = await api.post("/admin/sources", { body });
  return [made, adminExchange("POST /admin/sources", body, 201, made, [made.secret])];
}

async function askChoices(): Promise<void> {
  const { key } = trial.value;
  if (key === null) return;
  change({ choices: await noted("choices", () => choicesFor(key)) });
}

async function choicesFor(key: string): Promise<[Choices, Exchange]> {
  const [answer, exchange] = await partnerCall(key, "GET_SERVICES", {});
  const { countryList } = answer as { countryList: readonly Country[] };
  const choices = countryList.map(({ country, operatorMap }) => {
    const operators = Object.entries(operatorMap);
    return [country, new Map(operators.map(([name, counts]) => [name, new Map(Object.entries(counts))]))] as const;
  });
  return [new Map(choices), exchange];
}

async function finishWith(sale: Sale, outcome: Outcome): Promise<void> {
  const { key } = trial.value;
  await noted("outcome", () =>
    partnerCall(key ?? "", "FINISH_ACTIVATION", { activationId: sale.activationId, status: outcome }),
  );
  const now = trial.value.sale;
  if (now?.activationId === sale.activationId) change({ sale: { ...now, outcome } });
  announce("Finished");
}

function takeAnother(): void {
  change({ sale: null, exchanges: without(trial.value.exchanges, ["number", "sms", "outcome"]) });
  // How many are left is shown; it matters little if that can't be had.
  askChoices().catch(() => undefined);
}

/** Return the number, revoke the partner, remove the source: what was made here, each once. Throws ApiError. */
async function removeAll(): Promise<void> {
  const { key, partnerId, source, sale } = trial.value;
  if (key !== null && sale !== null && sale.outcome === null) await unlessRefused(finishWith(sale, 5));
  if (source !== null) {
    await unlessRefused(api.delete("/admin/sources/{sourceId}", { path: { sourceId: source.sourceId } }));
    change({ source: null });
  }
  if (partnerId !== null) await api.delete("/admin/partners/{partnerId}", { path: { partnerId } });
  trial.set(NOTHING);
}

/** Wait for it; that somebody else has removed what it is about is no failure. */
async function unlessRefused(doing: Promise<unknown>): Promise<void> {
  try {
    await doing;
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 401 && error.status !== 404)) throw error;
  }
}

function whose(): string {
  return trial.value.partnerId === null ? "a partner that you know" : `the partner “${NAME}”`;
}

/** Give the counts by service of an operator, or of all of a country together. */
function servicesOf(choices: Choices, country: string, operatorName: string): ReadonlyMap<string, number> {
  const operators = choices.get(country) ?? new Map<string, ReadonlyMap<string, number>>();
  const counts = new Map<string, number>();
  for (const [name, services] of operators) {
    if (operatorName !== ANY && name !== operatorName) continue;
    for (const [code, count] of services) counts.set(code, (counts.get(code) ?? 0) + count);
  }
  return new Map([...counts].sort(([one], [other]) => one.localeCompare(other)));
}

/** Give the first service that can be had, else the first, else nothing. */
function best(services: ReadonlyMap<string, number>): string {
  return [...services].find(([, count]) => count > 0)?.[0] ?? first(services.keys());
}

function first(names: Iterable<string>): string {
  return [...names][0] ?? "";
}

function without(exchanges: Trial["exchanges"], names: readonly StepName[]): Trial["exchanges"] {
  return Object.fromEntries(Object.entries(exchanges).filter(([name]) => !names.includes(name as StepName)));
}

// An answer to GET_SERVICES may hold a thousand pools.
const LONGEST_ANSWER = 20_000;

function cut(text: string): string {
  const left = text.length - LONGEST_ANSWER;
  return left > 0 ? `${text.slice(0, LONGEST_ANSWER)}\n… ${left} more characters` : text;
}
