import { useEffect, useRef, useState } from "preact/hooks";
import { type Schemas, api } from "../api";
import { SelectField, TextField } from "../components/form";
import { Listing } from "../components/listing";
import { ActivationOutcome } from "../components/outcome";
import { Time } from "../components/time";
import { useData } from "../data";
import { Head } from "../layout";
import { hrefTo, place } from "../router";
import { useStore } from "../store";
import { STATES } from "./activation-words";
import type { Page } from "./page";
import { morePartners, readPartnersAnew, usePartnerNames } from "./partner-names";

type Activation = Schemas["ActivationView"];
type State = Activation["state"];

export const activations: Page = {
  route: "/activations",
  title: "Activations",
  menu: "Activations",
  view: Activations,
};

/** Which activations are listed, as it stands in the address; an empty text is all. */
interface Wanted {
  readonly partnerId: string;
  readonly phone: string;
  readonly service: string;
  readonly state: State | "";
}

const EVERY_SECONDS = 5;
// Typing has come to a rest after this (ms).
const REST = 400;

function Activations() {
  const { query } = useStore(place);
  const wanted = wantedBy(query);
  const [seen, setSeen] = useState<readonly string[]>([]);
  useEffect(readPartnersAnew, []);
  const { names } = usePartnerNames(wanted.partnerId ? [...seen, wanted.partnerId] : seen);

  return (
    <>
      <Head title="Activations" />
      <p class="lead">Every sale of a number, newest first. The list goes on by itself.</p>
      <Filters wanted={wanted} />
      <Listing<Activation>
        caption="Activations"
        deps={[wanted.partnerId, wanted.phone, wanted.service, wanted.state]}
        every={EVERY_SECONDS}
        load={async (cursor, signal) => {
          const page = await api.get("/admin/activations", {
            query: { ...wanted, state: wanted.state || undefined, cursor },
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
          { title: "Began", cell: ({ startedAt }) => <Time at={startedAt} /> },
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
        empty={anything(wanted) ? "No activation is like that." : "There are no activations yet."}
      />
    </>
  );
}

/** Country and operator of a number. */
export function Pool({ country, operator }: { country: string; operator: string }) {
  return (
    <>
      <bdi>{country}</bdi>, <bdi>{operator}</bdi>
    </>
  );
}

function Filters({ wanted }: { wanted: Wanted }) {
  const { names, cursor } = usePartnerNames([]);
  const services = useData(async (signal) => (await api.get("/admin/services", { signal })).services, []);
  const partners = [...names].sort(([, one], [, other]) => one.localeCompare(other));
  const codes = (services.value ?? []).map(({ code, name }) => {
    return [code, name === code ? code : `${code} · ${name}`] as const;
  });
  const set = (change: Partial<Wanted>) => show({ ...wanted, ...change });

  return (
    <div class="filters" role="search" aria-label="Which activations">
      <SelectField
        name="partnerId"
        label="Partner"
        value={wanted.partnerId}
        options={withAll(partners, wanted.partnerId)}
        onChange={(partnerId) => set({ partnerId })}
      />
      {partners.length > 0 && cursor !== null && (
        <div class="field">
          <button type="button" onClick={() => void morePartners().catch(() => undefined)}>
            More partners
          </button>
        </div>
      )}
      <PhoneFilter phone={wanted.phone} onChange={(phone) => set({ phone })} />
      <SelectField
        name="service"
        label="Service"
        value={wanted.service}
        options={withAll(codes, wanted.service)}
        onChange={(service) => set({ service })}
      />
      <SelectField
        name="state"
        label="State"
        value={wanted.state}
        options={[["", "All"], ...STATES]}
        onChange={(state) => set({ state })}
      />
      {anything(wanted) && (
        <div class="field">
          <button type="button" onClick={() => show({ partnerId: "", phone: "", service: "", state: "" })}>
            Show all
          </button>
        </div>
      )}
    </div>
  );
}

/** A number as people write it; the list waits until they have stopped typing. */
function PhoneFilter({ phone, onChange }: { phone: string; onChange: (phone: string) => void }) {
  const [typed, setTyped] = useState(phone);
  const change = useRef(onChange);
  change.current = onChange;

  // The address has changed in another way: by a link, or by "Show all".
  useEffect(() => setTyped((now) => (digitsOf(now) === phone ? now : phone)), [phone]);
  useEffect(() => {
    if (digitsOf(typed) === phone) return;
    const timer = setTimeout(() => change.current(digitsOf(typed)), REST);
    return () => clearTimeout(timer);
  }, [typed]);

  return <TextField name="phone" label="Number" type="search" inputMode="tel" value={typed} onChange={setTyped} />;
}

/** Give both, each once; the same list when there is nothing new. */
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

function anything(wanted: Wanted): boolean {
  return Object.values(wanted).some(Boolean);
}

function wantedBy(query: URLSearchParams): Wanted {
  const state = STATES.find(([known]) => known === query.get("state"))?.[0] ?? "";
  return {
    partnerId: query.get("partnerId") ?? "",
    phone: digitsOf(query.get("phone") ?? ""),
    service: query.get("service") ?? "",
    state,
  };
}

/** Put it into the address, in the place of what stood there: Back leads to the page before. */
function show(wanted: Wanted): void {
  const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value));
  const asked = query.toString();
  location.replace(`${hrefTo("activations")}${asked ? `?${asked}` : ""}`);
}
