import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ExchangeDetails } from "../components/exchange-details";
import { Failure } from "../components/status";
import { type Exchange, explain, partnerCall, pollOnPage } from "../partner-calls";
import { Store, useStore } from "../store";
import { type Trial, useTrial } from "./calls";
import { Input } from "./input";
import { codesOf } from "./forms";
import { holder } from "./key";
import { readStock, servicesOf, stock } from "./stock";

/** Why there is no number, as /partner/explain says it. */
interface Explanation {
  readonly reason?: string;
  readonly message?: string;
  readonly suggestions?: readonly string[];
}

/** What getsms answers. */
interface Polled {
  readonly status: string;
  readonly messages?: readonly { readonly smsId: string; readonly phoneFrom: string; readonly text: string }[];
}

// As many rows of names are shown.
const MAX_ROWS = 200;
/** Which field the suggestions are for. */
const FIELD_OF: Readonly<Record<string, "country" | "operator" | "service">> = {
  unknownService: "service",
  serviceOff: "service",
  unknownCountry: "country",
  unknownOperator: "operator",
};
const OUTCOMES = [
  [5, "5 Returned: the number is free again"],
  [3, "3 Success: it was used"],
  [4, "4 Canceled: no SMS came"],
  [1, "1 Prohibited: the service refuses this number"],
] as const;

/** The activation that was taken here last. */
const taken = new Store<string>("");

/** The names and counts of GET_SERVICES, read as soon as there is a key. */
export function ServicesTrial() {
  const held = useStore(holder);
  const countries = useStore(stock);
  const [picked, setPicked] = useState("");
  const trial = useTrial(readStock);

  useEffect(() => {
    if (held) trial.run(held.key);
    else stock.set([]);
  }, [held]);

  if (!held) return <KeyNeeded />;
  const country = countries.find((one) => one.country === picked) ?? countries[0];
  return (
    <TrialForm label="Try GET_SERVICES" submit="Send GET_SERVICES" trial={trial} onSubmit={() => trial.run(held.key)}>
      {trial.exchange?.status === 200 && !country && <p>Nothing is for sale to this key now.</p>}
      {country && (
        <>
          <div class="field">
            <label for="live-country">Country</label>
            <select id="live-country" value={country.country} onChange={(event) => setPicked(event.currentTarget.value)}>
              {countries.map(({ country: name }) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </div>
          <Counts rows={rowsOf(country.operatorMap)} country={country.country} />
        </>
      )}
    </TrialForm>
  );
}

function Counts({ rows, country }: { rows: readonly (readonly [string, string, number])[]; country: string }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`What is for sale in ${country}`}>
      <table class="plain-table">
        <caption>What is for sale in {country} now</caption>
        <thead>
          <tr>
            <th scope="col">Operator</th>
            <th scope="col">Service</th>
            <th scope="col">Numbers</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MAX_ROWS).map(([operator, service, count]) => (
            <tr key={`${operator} ${service}`}>
              <td>
                <bdi>{operator}</bdi>
              </td>
              <td>
                <code>{service}</code>
              </td>
              <td>{count}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MAX_ROWS && <p class="quiet">And {rows.length - MAX_ROWS} more, in the answer below.</p>}
    </div>
  );
}

/** GET_NUMBER, and why it has none. */
export function NumberTrial() {
  const held = useStore(holder);
  const countries = useStore(stock);
  const [fields, setFields] = useState({ country: "", operator: "any", service: "", exceptionPhoneSet: "" });
  const [said, setSaid] = useState<{ number?: string; activationId?: number; why?: Explanation } | null>(null);
  const set = (changed: Partial<typeof fields>) => setFields({ ...fields, ...changed });

  const trial = useTrial(async (key: string): Promise<Exchange> => {
    setSaid(null);
    const { exceptionPhoneSet, ...wanted } = fields;
    const asked = exceptionPhoneSet.trim() ? { ...wanted, exceptionPhoneSet } : wanted;
    const [answer, exchange] = await partnerCall(key, "GET_NUMBER", asked);
    const got = answer as { status: string; number?: string; activationId?: number };
    if (got.status === "SUCCESS") {
      taken.set(String(got.activationId));
      setSaid(got);
    } else {
      setSaid({ why: await whyNone(key, asked) });
    }
    return exchange;
  });

  if (!held) return <KeyNeeded />;
  const operators = countries.find(({ country }) => country === fields.country)?.operatorMap ?? {};
  return (
    <TrialForm label="Try GET_NUMBER" submit="Take a number" trial={trial} onSubmit={() => trial.run(held.key)}>
      <p class="hint">It takes a real number. Return it with FINISH_ACTIVATION below if you don't use it.</p>
      <div class="filters">
        <Input
          id="number-country"
          label="Country"
          value={fields.country}
          onChange={(country) => set({ country })}
          known={countries.map(({ country }) => country)}
        />
        <Input
          id="number-operator"
          label="Operator"
          value={fields.operator}
          onChange={(operator) => set({ operator })}
          known={[...new Set(["any", ...Object.keys(operators)])]}
        />
        <Input
          id="number-service"
          label="Service"
          value={fields.service}
          onChange={(service) => set({ service })}
          known={servicesOf(countries)}
        />
        <Input
          id="number-exceptions"
          label="exceptionPhoneSet"
          value={fields.exceptionPhoneSet}
          onChange={(exceptionPhoneSet) => set({ exceptionPhoneSet })}
        />
      </div>
      <div role="status">
        {said?.number && (
          <p class="done">
            Number <code>{said.number}</code>, activation <code>{said.activationId}</code>.
          </p>
        )}
        {said?.why && <Why why={said.why} onPick={set} />}
      </div>
    </TrialForm>
  );
}

async function whyNone(key: string, asked: object): Promise<Explanation> {
  try {
    return (await explain(key, asked))[0] as Explanation;
  } catch {
    return { message: "Why can't be said right now." };
  }
}

function Why({ why, onPick }: { why: Explanation; onPick: (field: Record<string, string>) => void }) {
  const { reason, message, suggestions = [] } = why;
  const field = FIELD_OF[reason ?? ""];
  return (
    <div class="why">
      <p>
        <strong>No number.</strong> <span class="foreign">{message ?? "There is one again by now: try once more."}</span>
      </p>
      {field && suggestions.length > 0 && (
        <p>
          Did you mean{" "}
          {suggestions.map((name) => (
            <button key={name} type="button" onClick={() => onPick({ [field]: name })}>
              {name}
            </button>
          ))}
        </p>
      )}
    </div>
  );
}

/** getsms, of what was taken here or of any other. */
export function GetsmsTrial() {
  const held = useStore(holder);
  const last = useStore(taken);
  const [activationId, setActivationId] = useState(last);
  const [said, setSaid] = useState<Polled | null>(null);
  const trial = useTrial(async (key: string): Promise<Exchange> => {
    setSaid(null);
    const [answer, exchange] = await pollOnPage(key, activationId);
    setSaid(answer as Polled);
    return exchange;
  });

  useEffect(() => setActivationId(last), [last]);

  if (!held) return <KeyNeeded />;
  return (
    <TrialForm label="Try getsms" submit="Poll once" trial={trial} onSubmit={() => trial.run(held.key)}>
      <Input id="getsms-activation" label="activationId" value={activationId} onChange={setActivationId} />
      <div role="status">
        {said && !said.messages && <p>{said.status === "EXPIRED" ? "None came, and it is over." : "None yet."}</p>}
        {said?.messages?.map((sms) => (
          <p key={sms.smsId} class="done">
            From <bdi>{sms.phoneFrom}</bdi>: <span class="foreign">{sms.text}</span>
          </p>
        ))}
      </div>
    </TrialForm>
  );
}

/** FINISH_ACTIVATION, of what was taken here or of any other. */
export function FinishTrial() {
  const held = useStore(holder);
  const last = useStore(taken);
  const [activationId, setActivationId] = useState(last);
  const [status, setStatus] = useState(5);
  const trial = useTrial(
    async (key: string) => (await partnerCall(key, "FINISH_ACTIVATION", { activationId, status }))[1],
  );

  useEffect(() => setActivationId(last), [last]);

  if (!held) return <KeyNeeded />;
  return (
    <TrialForm label="Try FINISH_ACTIVATION" submit="Finish it" trial={trial} onSubmit={() => trial.run(held.key)}>
      <Input id="finish-activation" label="activationId" value={activationId} onChange={setActivationId} />
      <div class="field">
        <label for="finish-status">status</label>
        <select
          id="finish-status"
          value={status}
          onChange={(event) => setStatus(Number(event.currentTarget.value))}
        >
          {[...OUTCOMES, ...codesOf(held.forms ?? null)].map(([code, text]) => (
            <option key={code} value={code}>
              {text}
            </option>
          ))}
        </select>
      </div>
      {trial.exchange?.status === 200 && (
        <p class="done" role="status">
          Finished.
        </p>
      )}
    </TrialForm>
  );
}

function KeyNeeded() {
  return (
    <p class="quiet">
      To try it here, <a href="#key">enter your key</a>.
    </p>
  );
}

interface TrialFormProps {
  readonly label: string;
  readonly submit: string;
  readonly trial: Trial<[string]>;
  readonly onSubmit: () => void;
  readonly children: ComponentChildren;
}

function TrialForm({ label, submit, trial, onSubmit, children }: TrialFormProps) {
  return (
    <form
      class="card"
      noValidate
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
      {trial.error !== null && <Failure text={trial.error} />}
      <div class="buttons">
        <button type="submit" aria-disabled={trial.busy}>
          {trial.busy ? "One moment…" : submit}
        </button>
      </div>
      {trial.exchange && <ExchangeDetails title={label.replace("Try ", "")} exchange={trial.exchange} />}
    </form>
  );
}

function rowsOf(operatorMap: Readonly<Record<string, Readonly<Record<string, number>>>>) {
  return Object.entries(operatorMap).flatMap(([operator, services]) =>
    Object.entries(services).map(([service, count]) => [operator, service, count] as const),
  );
}
