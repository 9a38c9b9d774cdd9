import { useRef, useState } from "preact/hooks";
import { type Schemas, api } from "../../api";
import { Act } from "../../components/act";
import { Confirm } from "../../components/dialog";
import { CheckField } from "../../components/form";
import { type Column, Listing } from "../../components/listing";
import { Pool } from "../../components/pool";
import { Success } from "../../components/status";
import { plural } from "../../figures";
import { hrefTo } from "../../router";
import { offlineHref, poolHref } from "./pools";
import { NumberState, RESTORING, WITHDRAWING } from "./state";

type PhoneNumber = Schemas["NumberView"];

// The API changes no more numbers at once.
const BATCH = 500;

interface PoolNumbersProps {
  /** Null for all countries. */
  readonly country: string | null;
  /** Null for all pools of the country. */
  readonly operator: string | null;
  /** Whether only those whose lines are offline. */
  readonly offline: boolean;
}

/** The numbers of a pool or country, or those of them that are offline, to be selected, withdrawn and restored. */
export function PoolNumbers({ country, operator, offline }: PoolNumbersProps) {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [changed, setChanged] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [report, setReport] = useState<string | null>(null);
  const shown = useRef<string[]>([]);

  const select = (phone: string, on: boolean) =>
    setSelected(on ? new Set([...selected, phone]) : new Set([...selected].filter((other) => other !== phone)));
  const change = async (enabled: boolean) => {
    const phones = [...selected];
    setReport(await changeNumbers(phones, enabled));
    setChanged(new Map([...changed, ...phones.map((phone) => [phone, enabled] as const)]));
    setSelected(new Set());
  };

  return (
    <>
      <h2>
        {country === null ? (
          "Offline, in all countries"
        ) : (
          <span class="foreign">{operator === null ? country : `${operator}, ${country}`}</span>
        )}
      </h2>
      <p>
        <a href={hrefTo("numbers")}>All pools</a>
      </p>
      {country !== null && operator === null && (
        <CheckField
          name="online"
          label="Offline only"
          checked={offline}
          onChange={(on) => location.replace(on ? offlineHref(country) : poolHref(country))}
        />
      )}
      <Selection
        size={selected.size}
        onAll={() => setSelected(new Set(shown.current))}
        onNone={() => setSelected(new Set())}
        onChange={change}
      />
      {report !== null && <Success>{report}</Success>}
      <Listing<PhoneNumber>
        caption={country === null ? "Offline numbers" : `Numbers of ${operator ?? country}`}
        load={async (cursor, signal) => {
          const online = offline ? "false" : null;
          const page = await api.get("/admin/numbers", { query: { country, operator, online, cursor }, signal });
          const phones = page.numbers.map(({ phone }) => phone);
          shown.current = cursor === undefined ? phones : [...shown.current, ...phones];
          return { rows: page.numbers, cursor: page.cursor };
        }}
        deps={[country, operator, offline]}
        keyOf={({ phone }) => phone}
        columns={columnsOf({ selected, select, changed, place: placeColumns(country, operator) })}
        empty={offline ? "No numbers are offline." : "No numbers here."}
      />
    </>
  );
}

interface SelectionProps {
  readonly size: number;
  readonly onAll: () => void;
  readonly onNone: () => void;
  readonly onChange: (enabled: boolean) => Promise<void>;
}

/** What can be done with the numbers that are selected. */
function Selection({ size, onAll, onNone, onChange }: SelectionProps) {
  const [asked, setAsked] = useState<"Withdraw" | "Restore" | null>(null);
  return (
    <>
      <div class="bar" role="group" aria-label="Selected numbers">
        <span aria-live="polite">{plural(size, "number")} selected</span>
        <button type="button" onClick={onAll}>
          Select all shown
        </button>
        {size > 0 && (
          <>
            <button type="button" onClick={onNone}>
              Select none
            </button>
            <Act deed="patch /admin/numbers" onClick={() => setAsked("Withdraw")}>
              Withdraw
            </Act>
            <Act deed="patch /admin/numbers" onClick={() => setAsked("Restore")}>
              Restore
            </Act>
          </>
        )}
      </div>
      {asked !== null && (
        <Confirm
          title={`${asked} ${plural(size, "number")}?`}
          action={asked}
          onConfirm={() => onChange(asked === "Restore")}
          onClose={() => setAsked(null)}
        >
          <p>{asked === "Withdraw" ? WITHDRAWING : RESTORING}</p>
        </Confirm>
      )}
    </>
  );
}

interface ColumnOptions {
  readonly selected: ReadonlySet<string>;
  readonly select: (phone: string, on: boolean) => void;
  /** Which numbers were restored (true) or withdrawn since they were read. */
  readonly changed: ReadonlyMap<string, boolean>;
  readonly place: Column<PhoneNumber>[];
}

/** Return what tells where a number belongs, as far as it is not in the heading. */
function placeColumns(country: string | null, operator: string | null): Column<PhoneNumber>[] {
  if (country === null) return [{ title: "Pool", cell: (number) => <Pool {...number} /> }];
  return operator === null ? [{ title: "Operator", cell: (number) => <span class="foreign">{number.operator}</span> }] : [];
}

function columnsOf({ selected, select, changed, place }: ColumnOptions): Column<PhoneNumber>[] {
  return [
    {
      title: "Select",
      cell: ({ phone }) => (
        <input
          type="checkbox"
          aria-label={`Select ${phone}`}
          checked={selected.has(phone)}
          onChange={(event) => select(phone, event.currentTarget.checked)}
        />
      ),
    },
    { title: "Number", cell: ({ phone }) => <a href={hrefTo("numbers", phone)}>{phone}</a> },
    ...place,
    {
      title: "State",
      cell: (number) => <NumberState number={{ ...number, enabled: changed.get(number.phone) ?? number.enabled }} />,
    },
    { title: "Blocked for", cell: ({ blocked }) => blocked.join(", ") || "–" },
    { title: "Cancels", cell: ({ cancels }) => cancelsInWords(cancels) },
  ];
}

/** Withdraw or restore numbers, and return what that did. Throws ApiError. */
async function changeNumbers(phones: readonly string[], enabled: boolean): Promise<string> {
  let done = 0;
  const unknown: string[] = [];
  for (let from = 0; from < phones.length; from += BATCH) {
    const answer = await api.patch("/admin/numbers", { body: { phones: phones.slice(from, from + BATCH), enabled } });
    done += answer.changed;
    unknown.push(...answer.unknown);
  }
  const sentences = [`${plural(done, "number")} ${enabled ? "restored" : "withdrawn"}.`];
  const already = phones.length - done - unknown.length;
  if (already > 0) sentences.push(`${plural(already, "number")} already ${already === 1 ? "was" : "were"}.`);
  if (unknown.length > 0) sentences.push(`No longer known: ${unknown.join(", ")}.`);
  return sentences.join(" ");
}

function cancelsInWords(cancels: Readonly<Record<string, number>>): string {
  const entries = Object.entries(cancels).filter(([, times]) => times > 0);
  return entries.map(([code, times]) => `${code} ${times}`).join(", ") || "–";
}
