/** What the page holds and does: a partner, a source and an activation of its own, and each call over the wire. */

import { type Schemas, api } from "../../api";
import { announce } from "../../components/announce";
import { ApiError } from "../../http";
import { CallRefused, type Exchange, type Source, adminExchange, deliver, partnerCall } from "../../partner-calls";
import { staff } from "../../session";
import { Store } from "../../store";

export type Outcome = NonNullable<Schemas["ActivationView"]["outcome"]>;
export type CallName = "key" | "stock" | "number" | "source" | "sms" | "outcome";

/** How many numbers are for sale, by country, operator and service. */
export type Stock = ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<string, number>>>;

export interface Activation {
  readonly activationId: number;
  readonly phone: string;
  readonly service: string;
  /** How many SMS were sent to it. */
  readonly sent: number;
  readonly outcome: Outcome | null;
}

/** Kept by this tab only, until it is reloaded or staff sign out. */
interface Trial {
  readonly key: string | null;
  /** The partner that was created here; null when the key was pasted. */
  readonly partnerId: string | null;
  readonly source: Source | null;
  readonly stock: Stock | null;
  readonly activation: Activation | null;
  readonly exchanges: Readonly<Partial<Record<CallName, Exchange>>>;
}

/** A country in the answer to GET_SERVICES. */
interface Country {
  readonly country: string;
  readonly operatorMap: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The name of the partner and the source that are created. */
export const NAME = "Try it";
export const ANY = "any";

const EMPTY: Trial = { key: null, partnerId: null, source: null, stock: null, activation: null, exchanges: {} };

export const trial = new Store<Trial>(EMPTY);

staff.subscribe(() => {
  if (staff.value === null) trial.set(EMPTY);
});

/** Start as a new partner. Throws ApiError. */
export async function createPartner(): Promise<void> {
  const body = { name: NAME };
  const created = await noted("key", async () => {
    const answer = await api.post("/admin/partners", { body });
    return [answer, adminExchange("POST /admin/partners", body, 201, answer, [answer.key])];
  });
  // Without it there is a button that asks again.
  const stock = await readStock(created.key).catch(() => null);
  change({ key: created.key, partnerId: created.partnerId, stock });
}

/** Start with a partner's key. Throws CallRefused, ApiError. */
export async function pasteKey(key: string): Promise<void> {
  change({ stock: await readStock(key), key, partnerId: null });
}

/** Ask again what is for sale. Throws ApiError. */
export async function refreshStock(): Promise<void> {
  const { key } = trial.value;
  if (key !== null) change({ stock: await readStock(key) });
}

/** Buy a number. Return whether there was one. Throws ApiError. */
export async function takeNumber(country: string, operator: string, service: string): Promise<boolean> {
  const key = trial.value.key ?? "";
  const answer = (await noted("number", () => partnerCall(key, "GET_NUMBER", { country, operator, service }))) as {
    status?: string;
    number?: unknown;
    activationId?: number;
  };
  const { activationId } = answer;
  if (answer.status !== "SUCCESS" || activationId === undefined) return false;
  const phone = String(answer.number);
  change({ activation: { activationId, phone, service, sent: 0, outcome: null } });
  announce(`Number ${phone} taken`);
  return true;
}

/** Deliver an SMS to a number, by a source that the first one creates. Throws ApiError. */
export async function sendSms({ activationId, phone }: Activation, from: string, text: string): Promise<void> {
  const source = trial.value.source ?? (await noted("source", createSource));
  change({ source });
  await noted("sms", () => deliver(source, { phone, from, text, id: crypto.randomUUID() }));
  changeActivation(activationId, ({ sent }) => ({ sent: sent + 1 }));
  announce("SMS sent");
}

/** Finish an activation. Throws ApiError. */
export async function finish({ activationId }: Activation, outcome: Outcome): Promise<void> {
  const key = trial.value.key ?? "";
  await noted("outcome", () => partnerCall(key, "FINISH_ACTIVATION", { activationId, status: outcome }));
  changeActivation(activationId, () => ({ outcome }));
  announce("Finished");
}

/** Forget the activation, for another number. */
export function startOver(): void {
  const { number, sms, outcome, ...exchanges } = trial.value.exchanges;
  change({ activation: null, exchanges });
  // The counts are a help only.
  refreshStock().catch(() => undefined);
}

/** Return the number, remove the source, revoke the partner: whatever was created here. Throws ApiError. */
export async function removeAll(): Promise<void> {
  const { key, partnerId, source, activation } = trial.value;
  if (key !== null && activation !== null && activation.outcome === null) await unlessGone(finish(activation, 5));
  if (source !== null) {
    await unlessGone(api.delete("/admin/sources/{sourceId}", { path: { sourceId: source.sourceId } }));
    change({ source: null });
  }
  if (partnerId !== null) await api.delete("/admin/partners/{partnerId}", { path: { partnerId } });
  trial.set(EMPTY);
}

async function createSource(): Promise<[Source, Exchange]> {
  const body = { name: NAME, provider: "generic" } as const;
  const created = await api.post("/admin/sources", { body });
  return [created, adminExchange("POST /admin/sources", body, 201, created, [created.secret])];
}

async function readStock(key: string): Promise<Stock> {
  const answer = await noted("stock", () => partnerCall(key, "GET_SERVICES", {}));
  const { countryList } = answer as { countryList: readonly Country[] };
  return new Map(
    countryList.map(({ country, operatorMap }) => {
      const operators = Object.entries(operatorMap);
      return [country, new Map(operators.map(([name, counts]) => [name, new Map(Object.entries(counts))]))] as const;
    }),
  );
}

function change(changes: Partial<Trial>): void {
  trial.set({ ...trial.value, ...changes });
}

/** Change the activation, unless it is another by now. */
function changeActivation(activationId: number, changes: (activation: Activation) => Partial<Activation>): void {
  const { activation } = trial.value;
  if (activation?.activationId === activationId) change({ activation: { ...activation, ...changes(activation) } });
}

/** Call over the wire and keep the exchange, of a refusal too. */
async function noted<T>(name: CallName, call: () => Promise<[T, Exchange]>): Promise<T> {
  const note = (exchange: Exchange) => change({ exchanges: { ...trial.value.exchanges, [name]: exchange } });
  try {
    const [answer, exchange] = await call();
    note(exchange);
    return answer;
  } catch (error) {
    if (error instanceof CallRefused) note(error.exchange);
    throw error;
  }
}

/** Wait for a removal; that somebody else was first is no failure. */
async function unlessGone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 401 && error.status !== 404)) throw error;
  }
}
