import { useEffect, useRef, useState } from "preact/hooks";
import { type Schemas, api } from "../api";
import { SelectField, TextField } from "../components/form";
import { Head } from "../components/head";
import { Listing } from "../components/listing";
import { ActivationOutcome } from "../components/outcome";
import { Pool } from "../components/pool";
import { Time } from "../components/time";
import { useData } from "../data";
import { hrefTo, place, placeNow } from "../router";
import { useStore } from "../store";
import { STATES } from "./activation/words";
import type { Page } from "./page";
import { forgetPartnerNames, morePartners, usePartnerNames } from "./partner-names";

type Activation = Schemas["ActivationView"];
type State = (typeof STATES)[number][0];

export const activations: Page = {
  route: "/activations",
  title: "Activations",
  menu: "Activations",
  view: Activations,
};

/** Which activations are listed, by the address; empty is all. */
interface Filter {
  readonly partnerId: string;
  readonly phone: string;
  readonly service: string;
  readonly state: State | "";
}

const REFRESH_EVERY = 5;
// Typing has ended after this (ms).
const TYPING_PAUSE = 400;

function Activations() {
  const { query } = useStore(place);
  const filter = filterIn(query);
  const [seen, setSeen] = useState<readonly string[]>([]);
  useEffect(forgetPartnerNames, []);
  const { names } = usePartnerNames(filter.partnerId ? [...seen, filter.partnerId] : seen);

  return (
    <>
      <Head title="Activations" />
      <p class="lead">Every number that was sold, newest first. The list refreshes itself.</p>
      <Filters filter={filter} />
      <Listing<Activation>
        caption="Activations"
        deps={[filter.partnerId, filter.phone, filter.service, filter.state]}
        every={REFRESH_EVERY}
        load={async (cursor, signal) => {
          const page = await api.get("/admin/activations", {
            query: { ...filter, state: filter.state || undefined, cursor },
            signal,
          });
          const partners = page.activations.map((activation) => activation.partnerId);
          setSeen((before) => union(before, partners));
          return { rows: page.activations, cursor: page.cursor };
        }}
        keyOf={(activation) => activation.activationId}
        columns={[
          {
            title: "Activation",
            cell: ({ activationId }) => (
              <a class="whole" href={hrefTo("activations", activationId)}>
                {activationId}
              </a>
            ),
          },
          { title: "Started", cell: ({ startedAt }) => <Time at={startedAt} /> },
          {
            title: "Number",
            cell: ({ phone }) => (
              <a class="whole" href={hrefTo("numbers", phone)}>
                {phone}
              </a>
            ),
          },
          { title: "Service", cell: ({ service }) => service },
          { title: "Pool", cell: ({ country, operator }) => <Pool country={country} operator={operator} /> },
          {
            title: "Partner",
            cell: ({ partnerId }) => (
              <a href={hrefTo("partners", partnerId)}>
                <bdi>{names.get(partnerId) ?? partnerId}</bdi>
              </a>
            ),
          },
          { title: "State", cell: (activation) => <ActivationOutcome activation={activation} /> },
        ]}
        empty={isSet(filter) ? "No activations match." : "No activations yet."}
      />
    </>
  );
}

function Filters({ filter }: { filter: Filter }) {
  const { names, cursor } = usePartnerNames([]);
  const services = useData(async (signal) => (await api.get("/admin/services", { signal })).services, []);
  const partners = [...names].sort(([, one], [, other]) => one.localeCompare(other));
  const codes = (services.value ?? []).map(({ code, name }) => {
    return [code, name === code ? code : `${code} · ${name}`] as const;
  });
  // Of two changes in a row the second must not bring back what the first has taken away.
  const set = (change: Partial<Filter>) => show({ ...filterIn(placeNow().query), ...change });

  return (
    <div class="filters" role="search" aria-label="Filter">
      <SelectField
        name="partnerId"
        label="Partner"
        value={filter.partnerId}
        options={withAll(partners, filter.partnerId)}
        onChange={(partnerId) => set({ partnerId })}
      />
      {partners.length > 0 && cursor !== null && (
        <div class="field">
          <button type="button" onClick={() => void morePartners().catch(() => undefined)}>
            More partners
          </button>
        </div>
      )}
      <PhoneFilter phone={filter.phone} onChange={(phone) => set({ phone })} />
      <SelectField
        name="service"
        label="Service"
        value={filter.service}
        options={withAll(codes, filter.service)}
        onChange={(service) => set({ service })}
      />
      <SelectField
        name="state"
        label="State"
        value={filter.state}
        options={[["", "All"], ...STATES]}
        onChange={(state) => set({ state })}
      />
      {isSet(filter) && (
        <div class="field">
          <button type="button" onClick={() => show({ partnerId: "", phone: "", service: "", state: "" })}>
            Clear filters
          </button>
        </div>
      )}
    </div>
  );
}

/** A number as people write it; the list waits until typing ends. */
function PhoneFilter({ phone, onChange }: { phone: string; onChange: (phone: string) => void }) {
  const [typed, setTyped] = useState(phone);
  const change = useRef(onChange);
  change.current = onChange;

  // The address was changed otherwise: by a link, or by "Clear filters".
  useEffect(() => setTyped((now) => (digitsOf(now) === phone ? now : phone)), [phone]);
  useEffect(() => {
    if (digitsOf(typed) === phone) return;
    const timer = setTimeout(() => change.current(digitsOf(typed)), TYPING_PAUSE);
    return () => clearTimeout(timer);
  }, [typed]);

  return <TextField name="phone" label="Number" type="search" inputMode="tel" value={typed} onChange={setTyped} />;
}

/** Return both, each once; the same array when there is nothing new. */
function union(before: readonly string[], found: readonly string[]): readonly string[] {
  return found.every((one) => before.includes(one)) ? before : [...new Set([...before, ...found])];
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, "");
}

function withAll(options: readonly (readonly [string, string])[], chosen: string): (readonly [string, string])[] {
  const known = chosen === "" || options.some(([value]) => value === chosen);
  return [["", "All"], ...(known ? [] : [[chosen, chosen] as const]), ...options];
}

function isSet(filter: Filter): boolean {
  return Object.values(filter).some(Boolean);
}

function filterIn(query: URLSearchParams): Filter {
  const state = STATES.find(([known]) => known === query.get("state"))?.[0] ?? "";
  return {
    partnerId: query.get("partnerId") ?? "",
    phone: digitsOf(query.get("phone") ?? ""),
    service: query.get("service") ?? "",
    state,
  };
}

/** Put it into the address, in place of the last filter: Back leads to the page before. */
function show(filter: Filter): void {
  const query = new URLSearchParams(Object.entries(filter).filter(([, value]) => value));
  const asked = query.toString();
  location.replace(`${hrefTo("activations")}${asked ? `?${asked}` : ""}`);
}
