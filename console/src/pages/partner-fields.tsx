// What an operator types about a partner, on the page of one and for a new one.

import { useId, useState } from "preact/hooks";
import { type Schemas, api } from "../api";
import { FieldErrors, SelectField, TextField } from "../components/form";
import { Failure } from "../components/status";
import { useData } from "../data";

type Partner = Schemas["PartnerView"];
type Service = Schemas["ServiceView"];
type Dialect = NonNullable<Schemas["NewPartner"]["dialect"]>;

/** A partner as it stands in the form. */
export interface Typed {
  readonly name: string;
  readonly pushUrl: string;
  /** Codes by the alphabet, null for all services. */
  readonly services: readonly string[] | null;
  readonly dialect: Dialect;
  /** Empty for the deployment's limit. */
  readonly maxLive: string;
}

export const NOTHING_TYPED: Typed = { name: "", pushUrl: "", services: null, dialect: "default", maxLive: "" };

const DIALECTS: readonly (readonly [Dialect, string])[] = [["default", "Default"]];
// A catalogue holds up to 1,000: more than these are found by the search.
const MOST_SHOWN = 60;
const FEW = 12;

/** Give what the form says of a partner as it was read. */
export function typedOf(partner: Partner): Typed {
  return {
    name: partner.name,
    pushUrl: partner.pushUrl ?? "",
    services: partner.services && [...partner.services].sort(),
    dialect: partner.dialect as Dialect,
    maxLive: partner.maxLive?.toString() ?? "",
  };
}

/** Give the fields of `typed` that differ from `known`, as the API takes them. */
export function changesIn(typed: Typed, known: Typed): Partial<ReturnType<typeof given>> {
  const now = given(typed);
  const before = given(known);
  return {
    ...(now.name !== before.name && { name: now.name }),
    ...(now.pushUrl !== before.pushUrl && { pushUrl: now.pushUrl }),
    ...(!sameServices(now.services, before.services) && { services: now.services }),
    ...(now.dialect !== before.dialect && { dialect: now.dialect }),
    ...(now.maxLive !== before.maxLive && { maxLive: now.maxLive }),
  };
}

/** Give what is typed as the API takes it. */
export function given(typed: Typed) {
  return {
    name: typed.name.trim(),
    pushUrl: typed.pushUrl.trim() || null,
    services: typed.services && [...typed.services],
    dialect: typed.dialect,
    maxLive: typed.maxLive.trim() ? Number(typed.maxLive) : null,
  };
}

/** Throws FieldErrors when what is typed can't be sent. */
export function check(typed: Typed): void {
  if (!typed.name.trim()) throw new FieldErrors({ name: "The partner's name" });
  if (!/^\d*$/.test(typed.maxLive.trim())) throw new FieldErrors({ maxLive: "Expected a whole number, or nothing" });
}

/** Say which services these are. */
export function servicesInWords(services: readonly string[] | null): string {
  if (services === null) return "All services";
  return services.length ? services.join(", ") : "None";
}

function sameServices(one: readonly string[] | null, other: readonly string[] | null): boolean {
  if (one === null || other === null) return one === other;
  return one.length === other.length && one.every((code) => other.includes(code));
}

interface PartnerFieldsProps {
  readonly typed: Typed;
  readonly onChange: (typed: Typed) => void;
}

export function PartnerFields({ typed, onChange }: PartnerFieldsProps) {
  return (
    <>
      <TextField
        name="name"
        label="Name"
        hint="For operators only."
        value={typed.name}
        onChange={(name) => onChange({ ...typed, name })}
        required
      />
      <TextField
        name="pushUrl"
        label="Push URL"
        hint="Where SMS are pushed to. Empty: they can be polled, and nothing is pushed."
        type="url"
        value={typed.pushUrl}
        onChange={(pushUrl) => onChange({ ...typed, pushUrl })}
      />
      <ServicesField services={typed.services} onChange={(services) => onChange({ ...typed, services })} />
      <SelectField
        name="dialect"
        label="Dialect"
        hint="The form in which the partner talks with us."
        value={typed.dialect}
        options={DIALECTS}
        onChange={(dialect) => onChange({ ...typed, dialect })}
      />
      <TextField
        name="maxLive"
        label="Most live activations"
        hint="With so many it is sold nothing more until one has ended. Empty: as deployed."
        value={typed.maxLive}
        onChange={(maxLive) => onChange({ ...typed, maxLive })}
        inputMode="numeric"
      />
    </>
  );
}

interface ServicesFieldProps {
  readonly services: readonly string[] | null;
  readonly onChange: (services: readonly string[] | null) => void;
}

/** All services, or some of the catalogue. */
function ServicesField({ services, onChange }: ServicesFieldProps) {
  const [picked, setPicked] = useState<readonly string[]>(services ?? []);
  const name = useId();

  const pick = (codes: readonly string[]) => {
    setPicked(codes);
    onChange(codes);
  };

  return (
    <fieldset class="field">
      <legend>Allowed services</legend>
      <div class="check">
        <input
          id={`${name}-all`}
          name={name}
          type="radio"
          checked={services === null}
          onChange={() => {
            setPicked(services ?? []);
            onChange(null);
          }}
        />
        <label for={`${name}-all`}>All services, later ones too</label>
      </div>
      <div class="check">
        <input
          id={`${name}-some`}
          name={name}
          type="radio"
          checked={services !== null}
          onChange={() => pick(picked)}
        />
        <label for={`${name}-some`}>Only these</label>
      </div>
      {services !== null && <Choices chosen={services} onChange={pick} />}
    </fieldset>
  );
}

interface ChoicesProps {
  readonly chosen: readonly string[];
  readonly onChange: (codes: readonly string[]) => void;
}

function Choices({ chosen, onChange }: ChoicesProps) {
  const catalogue = useData<readonly Service[]>(
    async (signal) => (await api.get("/admin/services", { signal })).services,
    [],
  );
  const [wanted, setWanted] = useState("");
  // Those that were chosen stand first, and don't move while one clicks.
  const [first] = useState(chosen);
  const id = useId();

  if (catalogue.value === undefined) {
    return catalogue.error !== null ? (
      <Failure text={catalogue.error} onRetry={catalogue.reload} />
    ) : (
      <p class="quiet" role="status">
        Loading…
      </p>
    );
  }
  const options = ordered(catalogue.value, first, chosen);
  const found = options.filter(({ code, name }) => `${code} ${name}`.toLowerCase().includes(wanted.toLowerCase()));
  const toggle = (code: string, on: boolean) =>
    onChange(on ? [...chosen, code].sort() : chosen.filter((other) => other !== code));

  return (
    <div class="choices">
      {options.length > FEW && (
        <div class="field">
          <label for={`${id}-wanted`}>Find a service</label>
          <input
            id={`${id}-wanted`}
            type="search"
            autocomplete="off"
            value={wanted}
            onInput={(event) => setWanted(event.currentTarget.value)}
            onKeyDown={(event) => {
              // It narrows the list; the form is not to be sent by it.
              if (event.key === "Enter") event.preventDefault();
            }}
          />
        </div>
      )}
      <ul>
        {found.slice(0, MOST_SHOWN).map(({ code, name }) => (
          <li key={code} class="check">
            <input
              id={`${id}-${code}`}
              type="checkbox"
              checked={chosen.includes(code)}
              onChange={(event) => toggle(code, event.currentTarget.checked)}
            />
            <label for={`${id}-${code}`}>
              <code>{code}</code> {name !== code && <bdi class="quiet">{name}</bdi>}
            </label>
          </li>
        ))}
      </ul>
      <p class="quiet" role="status">
        {options.length === 0 && "The catalogue is empty. "}
        {found.length > MOST_SHOWN && `${found.length - MOST_SHOWN} more: find them by code or name. `}
        {chosen.length ? `${chosen.length} chosen.` : "None chosen: this partner can buy nothing."}
      </p>
    </div>
  );
}

/** Give the catalogue with those of `first` in front, and with what was chosen and the catalogue does not hold. */
function ordered(
  catalogue: readonly Service[],
  first: readonly string[],
  chosen: readonly string[],
): { code: string; name: string }[] {
  const names = new Map(catalogue.map(({ code, name }) => [code, name]));
  const inFront = [...new Set([...first, ...chosen.filter((code) => !names.has(code))])];
  return [
    ...inFront.map((code) => ({ code, name: names.get(code) ?? "(not in the catalogue)" })),
    ...catalogue.filter(({ code }) => !inFront.includes(code)),
  ];
}
