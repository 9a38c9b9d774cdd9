import { useId, useState } from "preact/hooks";
import { type Schemas, api } from "../../api";
import { Loaded } from "../../components/status";
import { useData } from "../../data";

type Service = Schemas["ServiceView"];

// A catalogue holds up to 1,000: beyond these, services are found by searching.
const MAX_SHOWN = 60;
// Up to these there is nothing to search.
const FEW = 12;

interface ServicesFieldProps {
  readonly services: readonly string[] | null;
  readonly onChange: (services: readonly string[] | null) => void;
}

/** All services, or some of the catalogue. */
export function ServicesField({ services, onChange }: ServicesFieldProps) {
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
        <label for={`${name}-all`}>All services, including future ones</label>
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

function Choices(props: ChoicesProps) {
  const catalogue = useData(async (signal) => (await api.get("/admin/services", { signal })).services, []);
  return <Loaded data={catalogue}>{(services) => <ServiceChoices catalogue={services} {...props} />}</Loaded>;
}

function ServiceChoices({ catalogue, chosen, onChange }: ChoicesProps & { catalogue: readonly Service[] }) {
  const [search, setSearch] = useState("");
  // Chosen ones stand first, and don't move while one clicks.
  const [first] = useState(chosen);
  const id = useId();
  const options = ordered(catalogue, first, chosen);
  const found = options.filter(({ code, name }) => `${code} ${name}`.toLowerCase().includes(search.toLowerCase()));
  const toggle = (code: string, on: boolean) =>
    onChange(on ? [...chosen, code].sort() : chosen.filter((other) => other !== code));

  return (
    <div class="choices">
      {options.length > FEW && <SearchField id={`${id}-search`} value={search} onChange={setSearch} />}
      <ul>
        {found.slice(0, MAX_SHOWN).map(({ code, name }) => (
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
        {found.length > MAX_SHOWN && `${found.length - MAX_SHOWN} more: search by code or name. `}
        {chosen.length ? `${chosen.length} selected.` : "None selected: this partner can't buy."}
      </p>
    </div>
  );
}

function SearchField({ id, value, onChange }: { id: string; value: string; onChange: (value: string) => void }) {
  return (
    <div class="field">
      <label for={id}>Find a service</label>
      <input
        id={id}
        type="search"
        autocomplete="off"
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
        onKeyDown={(event) => {
          // It narrows the list; Enter must not send the form.
          if (event.key === "Enter") event.preventDefault();
        }}
      />
    </div>
  );
}

/** Return the catalogue, `first` in front, with chosen codes that it does not hold. */
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
