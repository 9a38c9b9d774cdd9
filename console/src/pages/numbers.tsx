import { useRef, useState } from "preact/hooks";
import { type Schemas, api } from "../api";
import { announce } from "../components/announce";
import { Badge } from "../components/badge";
import { Confirm } from "../components/dialog";
import { FieldErrors, Form, TextField } from "../components/form";
import { type Column, Listing, Rows } from "../components/listing";
import { Done, Loaded } from "../components/status";
import { Time } from "../components/time";
import { useData } from "../data";
import { count, plural } from "../figures";
import { Head } from "../layout";
import { goTo, hrefTo, place } from "../router";
import { useStore } from "../store";
import { Marks } from "./marks";
import type { Page } from "./page";

type Pool = Schemas["PoolView"];
type PhoneNumber = Schemas["NumberView"];
type Activation = Schemas["ActivationView"];

const OUTCOMES: Readonly<Record<number, string>> = { 1: "Prohibited", 3: "Success", 4: "Canceled", 5: "Returned" };
// Of a long catalogue so many services are shown, the others when asked for.
const SHOWN_SERVICES = 8;
// The API changes no more numbers at once.
const AT_ONCE = 500;

export const numbers: Page = { route: "/numbers", title: "Numbers", menu: "Numbers", view: Numbers };
export const oneNumber: Page = { route: "/numbers/:phone", title: "Number", view: OneNumber };

function Numbers() {
  const { query } = useStore(place);
  const country = query.get("country");
  const operator = query.get("operator");
  return (
    <>
      <Head title="Numbers">
        <a href={hrefTo("imports")}>Import numbers</a>
      </Head>
      <Search />
      {country === null ? (
        <Pools />
      ) : (
        <NumbersOf key={JSON.stringify([country, operator])} country={country} operator={operator} />
      )}
    </>
  );
}

function Search() {
  const [phone, setPhone] = useState("");

  const find = async () => {
    // As people write them: +44 7700 900-123.
    const digits = phone.replace(/[\s()+.\-\u00A0]/g, "");
    if (!/^[1-9]\d{4,14}$/.test(digits)) {
      throw new FieldErrors({ phone: "Expected 5 to 15 digits, country code first" });
    }
    goTo("numbers", digits);
  };

  return (
    <div class="search" role="search">
      <Form submit="Find" onSubmit={find} label="Find a number">
        <TextField name="phone" label="Number" value={phone} onChange={setPhone} type="search" inputMode="tel" />
      </Form>
    </div>
  );
}

function Pools() {
  return (
    <>
      <h2>Pools</h2>
      <Listing<Pool>
        caption="Pools"
        load={async (cursor, signal) => {
          const page = await api.get("/admin/pools", { query: { cursor }, signal });
          return { rows: page.pools, cursor: page.cursor };
        }}
        keyOf={(pool) => JSON.stringify([pool.country, pool.operator])}
        columns={[
          { title: "Country", cell: (pool) => <a class="foreign" href={poolHref(pool.country)}>{pool.country}</a> },
          {
            title: "Operator",
            cell: (pool) => <a class="foreign" href={poolHref(pool.country, pool.operator)}>{pool.operator}</a>,
          },
          { title: "On sale", cell: (pool) => count(pool.total), number: true },
          { title: "Free", cell: (pool) => count(pool.free), number: true },
          { title: "Held", cell: (pool) => count(pool.total - pool.free), number: true },
          { title: "Free for each service", cell: (pool) => <ForServices {...pool} /> },
        ]}
        empty={
          <>
            There are no numbers yet. <a href={hrefTo("imports")}>Import some</a>.
          </>
        }
      />
    </>
  );
}

function ForServices({ services }: Pool) {
  const [all, setAll] = useState(false);
  const entries = Object.entries(services);
  if (entries.length === 0) return <>No service is on</>;
  const shown = all ? entries : entries.slice(0, SHOWN_SERVICES);
  return (
    <ul class="tags">
      {shown.map(([code, available]) => (
        <li key={code}>
          <code>{code}</code> {count(available)}
        </li>
      ))}
      {entries.length > shown.length && (
        <li>
          <button type="button" class="small" onClick={() => setAll(true)}>
            {count(entries.length - shown.length)} more
          </button>
        </li>
      )}
    </ul>
  );
}

/** The numbers of a country or a pool: look, pick, withdraw, restore. */
function NumbersOf({ country, operator }: { country: string; operator: string | null }) {
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [changed, setChanged] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [asking, setAsking] = useState<"withdraw" | "restore" | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  const shown = useRef<string[]>([]);

  const pick = (phone: string, on: boolean) => {
    const next = new Set(picked);
    if (on) next.add(phone);
    else next.delete(phone);
    setPicked(next);
  };
  const change = async (enabled: boolean) => {
    const phones = [...picked];
    let done = 0;
    const unknown: string[] = [];
    for (let from = 0; from < phones.length; from += AT_ONCE) {
      const answer = await api.patch("/admin/numbers", { body: { phones: phones.slice(from, from + AT_ONCE), enabled } });
      done += answer.changed;
      unknown.push(...answer.unknown);
    }
    const next = new Map(changed);
    for (const phone of phones) next.set(phone, enabled);
    setChanged(next);
    setPicked(new Set());
    setSaid(told(enabled, phones.length, done, unknown));
  };

  const columns: Column<PhoneNumber>[] = [
    {
      title: "Pick",
      cell: ({ phone }) => (
        <input
          type="checkbox"
          aria-label={`Pick ${phone}`}
          checked={picked.has(phone)}
          onChange={(event) => pick(phone, event.currentTarget.checked)}
        />
      ),
    },
    { title: "Number", cell: ({ phone }) => <a href={hrefTo("numbers", phone)}>{phone}</a> },
    ...(operator === null
      ? [{ title: "Operator", cell: (number: PhoneNumber) => <span class="foreign">{number.operator}</span> }]
      : []),
    { title: "State", cell: (number) => <State number={{ ...number, enabled: changed.get(number.phone) ?? number.enabled }} /> },
    { title: "Blocked for", cell: ({ blocked }) => blocked.join(", ") || "–" },
    { title: "Cancels", cell: ({ cancels }) => cancelsOf(cancels) },
  ];

  return (
    <>
      <h2>
        <span class="foreign">{operator === null ? country : `${operator}, ${country}`}</span>
      </h2>
      <p>
        <a href={hrefTo("numbers")}>All pools</a>
      </p>
      <div class="bar" role="group" aria-label="Picked numbers">
        <span aria-live="polite">{plural(picked.size, "number")} picked</span>
        <button type="button" onClick={() => setPicked(new Set(shown.current))}>
          Pick all shown
        </button>
        {picked.size > 0 && (
          <>
            <button type="button" onClick={() => setPicked(new Set())}>
              Pick none
            </button>
            <button type="button" onClick={() => setAsking("withdraw")}>
              Withdraw
            </button>
            <button type="button" onClick={() => setAsking("restore")}>
              Restore
            </button>
          </>
        )}
      </div>
      {said !== null && <Done>{said}</Done>}
      <Listing<PhoneNumber>
        caption={`Numbers of ${operator ?? country}`}
        load={async (cursor, signal) => {
          const page = await api.get("/admin/numbers", { query: { country, operator, cursor }, signal });
          const phones = page.numbers.map(({ phone }) => phone);
          shown.current = cursor === undefined ? phones : [...shown.current, ...phones];
          return { rows: page.numbers, cursor: page.cursor };
        }}
        deps={[country, operator]}
        keyOf={({ phone }) => phone}
        columns={columns}
        empty="There are no numbers here."
      />
      {asking !== null && (
        <Confirm
          title={`${asking === "withdraw" ? "Withdraw" : "Restore"} ${plural(picked.size, "number")}?`}
          action={asking === "withdraw" ? "Withdraw" : "Restore"}
          onConfirm={() => change(asking === "restore")}
          onClose={() => setAsking(null)}
        >
          <p>{asking === "withdraw" ? WITHDRAWING : RESTORING}</p>
        </Confirm>
      )}
    </>
  );
}

const WITHDRAWING = "Withdrawn numbers are not sold until they are restored. Live activations go on to their end.";
const RESTORING = "Restored numbers are for sale again as soon as nothing holds them.";

function told(enabled: boolean, asked: number, done: number, unknown: readonly string[]): string {
  const words = [`${plural(done, "number")} ${enabled ? "restored" : "withdrawn"}.`];
  const already = asked - done - unknown.length;
  if (already > 0) words.push(`${plural(already, "number")} already ${already === 1 ? "was" : "were"}.`);
  if (unknown.length > 0) words.push(`Not known any more: ${unknown.join(", ")}.`);
  return words.join(" ");
}

function OneNumber({ params }: { params: Readonly<Record<string, string>> }) {
  const phone = params["phone"] ?? "";
  const [changes, setChanges] = useState(0);
  const [asking, setAsking] = useState(false);
  const [lifted, setLifted] = useState<string | null>(null);
  const data = useData((signal) => api.get("/admin/numbers/{phone}", { path: { phone }, signal }), [phone, changes]);

  if (data.status === 404 || data.status === 400) {
    return (
      <>
        <Head title="No such number" />
        <p>
          <span class="foreign">{phone}</span> is not one of ours.
        </p>
        <Search />
        <p>
          <a href={hrefTo("numbers")}>All pools</a>
        </p>
      </>
    );
  }
  return (
    <Loaded data={data}>
      {(number) => (
        <>
          <Head title={number.phone}>
            <button type="button" class={number.enabled ? undefined : "primary"} onClick={() => setAsking(true)}>
              {number.enabled ? "Withdraw" : "Restore"}
            </button>
          </Head>
          <section class="card" aria-label="As it is now">
            <dl class="number-facts">
              <div>
                <dt>State</dt>
                <dd>
                  <State number={number} />
                </dd>
              </div>
              <div>
                <dt>Pool</dt>
                <dd>
                  <a class="foreign" href={poolHref(number.country, number.operator)}>
                    {`${number.operator}, ${number.country}`}
                  </a>
                </dd>
              </div>
              {number.activationId !== null && (
                <div>
                  <dt>Held by</dt>
                  <dd>
                    <a href={hrefTo("activations", number.activationId)}>activation {number.activationId}</a>
                  </dd>
                </div>
              )}
            </dl>
          </section>
          <Marks
            phone={number.phone}
            marks={number.marks}
            said={lifted}
            onLifted={(said) => {
              setLifted(said);
              setChanges(changes + 1);
            }}
          />
          <h2>Last activations</h2>
          {number.activations.length === 0 ? (
            <p class="empty">It has not been sold yet.</p>
          ) : (
            <Rows<Activation>
              caption="Last activations"
              rows={number.activations}
              keyOf={(activation) => activation.activationId}
              columns={[
                {
                  title: "Activation",
                  cell: ({ activationId }) => <a href={hrefTo("activations", activationId)}>{activationId}</a>,
                },
                { title: "Began", cell: ({ startedAt }) => <Time at={startedAt} /> },
                { title: "Service", cell: ({ service }) => <code>{service}</code> },
                { title: "Partner", cell: ({ partnerId }) => <a href={hrefTo("partners", partnerId)}>{partnerId}</a> },
                { title: "Outcome", cell: outcomeOf },
                { title: "Ended", cell: ({ finishedAt }) => (finishedAt === null ? "–" : <Time at={finishedAt} />) },
              ]}
            />
          )}
          {asking && (
            <Confirm
              title={`${number.enabled ? "Withdraw" : "Restore"} ${number.phone}?`}
              action={number.enabled ? "Withdraw" : "Restore"}
              onConfirm={async () => {
                const enabled = !number.enabled;
                await api.patch("/admin/numbers/{phone}", { path: { phone }, body: { enabled } });
                setChanges(changes + 1);
                announce(`${number.phone} ${enabled ? "restored" : "withdrawn"}`);
              }}
              onClose={() => setAsking(false)}
            >
              <p>{number.enabled ? WITHDRAWING : RESTORING}</p>
            </Confirm>
          )}
        </>
      )}
    </Loaded>
  );
}

function State({ number }: { number: PhoneNumber }) {
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
          Rests until <Time at={number.restingUntil} short />
        </Badge>
      )}
      {number.enabled && number.heldUntil === null && number.restingUntil === null && <Badge tone="good">Free</Badge>}
    </span>
  );
}

function outcomeOf({ state, outcome }: Activation) {
  if (state === "live") return <Badge tone="warn">Live</Badge>;
  if (outcome === null) return <Badge>None, expired</Badge>;
  return <Badge tone={outcome === 3 ? "good" : "plain"}>{OUTCOMES[outcome] ?? String(outcome)}</Badge>;
}

function cancelsOf(cancels: Readonly<Record<string, number>>): string {
  const entries = Object.entries(cancels).filter(([, times]) => times > 0);
  return entries.map(([code, times]) => `${code} ${times}`).join(", ") || "–";
}

function poolHref(country: string, operator?: string): string {
  return `${hrefTo("numbers")}?${new URLSearchParams({ country, ...(operator === undefined ? {} : { operator }) })}`;
}
