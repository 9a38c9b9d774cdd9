import { useMemo, useState } from "preact/hooks";
import type { Schemas } from "../../../api";
import { Rows } from "../../../components/listing";
import { count } from "../../../figures";
import { type Entry, KINDS, type Kind } from "../../../hub-names";

/** An entry that is being edited. */
export interface Row extends Entry {
  readonly id: number;
  /** Whether it was added here: then our side is typed, too. */
  readonly isAdded: boolean;
}

export const KIND_WORDS: Readonly<Record<Kind, string>> = {
  country: "Country",
  operator: "Operator",
  service: "Service",
};

// So many more each time: a partner may have 5,000.
const ROWS_AT_ONCE = 100;

interface TableProps {
  readonly rows: readonly Row[];
  /** What the API refused, and why. */
  readonly wrong: { readonly id: number; readonly text: string } | null;
  readonly suggested: readonly Schemas["StartingName"][];
  readonly onChange: (row: Row) => void;
  readonly onRemove: (row: Row) => void;
}

/** Names of ours and theirs, to be edited. */
export function Table({ rows, wrong, suggested, onChange, onRemove }: TableProps) {
  const [most, setMost] = useState(ROWS_AT_ONCE);
  const lists = useMemo(() => KINDS.map((kind) => <Suggestions key={kind} kind={kind} names={suggested} />), [suggested]);
  if (rows.length === 0) return <p class="empty">No names here.</p>;
  return (
    <div class="listing names">
      {lists}
      <Rows<Row>
        caption="Names"
        rows={rows.slice(0, most)}
        keyOf={({ id }) => id}
        columns={[
          { title: "Kind", cell: (row) => <KindOf row={row} onChange={onChange} /> },
          {
            title: "Country",
            cell: (row) =>
              row.kind !== "operator" ? (
                <span class="quiet">–</span>
              ) : (
                <Ours row={row} label="Country" value={row.country} onType={(country) => onChange({ ...row, country })} />
              ),
          },
          {
            title: "Ours",
            cell: (row) => (
              <Ours row={row} label="Ours" value={row.ours} onType={(ours) => onChange({ ...row, ours })} />
            ),
          },
          { title: "Theirs", cell: (row) => <Theirs row={row} wrong={wrong} onChange={onChange} /> },
          {
            title: "Remove",
            cell: (row) =>
              row.theirs !== "" || row.isAdded ? (
                <button type="button" class="small" aria-label={`Remove ${named(row)}`} onClick={() => onRemove(row)}>
                  Remove
                </button>
              ) : (
                <span class="quiet">–</span>
              ),
          },
        ]}
      />
      {rows.length > most && (
        <button type="button" onClick={() => setMost(most + ROWS_AT_ONCE)}>
          More ({count(rows.length - most)})
        </button>
      )}
    </div>
  );
}

function KindOf({ row, onChange }: { row: Row; onChange: (row: Row) => void }) {
  if (!row.isAdded) return <>{KIND_WORDS[row.kind]}</>;
  return (
    <select
      aria-label="Kind of the new entry"
      value={row.kind}
      onChange={(event) => onChange({ ...row, kind: event.currentTarget.value as Kind })}
    >
      {KINDS.map((kind) => (
        <option key={kind} value={kind}>
          {KIND_WORDS[kind]}
        </option>
      ))}
    </select>
  );
}

interface OursProps {
  readonly row: Row;
  readonly label: string;
  readonly value: string;
  readonly onType: (value: string) => void;
}

function Ours({ row, label, value, onType }: OursProps) {
  if (row.isAdded) {
    return (
      <input
        aria-label={`${label} of the new entry`}
        value={value}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => onType(event.currentTarget.value)}
      />
    );
  }
  return value === "*" ? <>All others</> : <bdi>{value}</bdi>;
}

interface TheirsProps {
  readonly row: Row;
  readonly wrong: TableProps["wrong"];
  readonly onChange: (row: Row) => void;
}

function Theirs({ row, wrong, onChange }: TheirsProps) {
  const id = `theirs-${row.id}`;
  const error = wrong?.id === row.id ? wrong.text : null;
  return (
    <>
      <input
        id={id}
        aria-label={`Theirs for ${named(row)}`}
        aria-invalid={error !== null}
        aria-describedby={error === null ? undefined : `${id}-error`}
        list={`known-${row.kind}`}
        value={row.theirs}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => onChange({ ...row, theirs: event.currentTarget.value })}
      />
      {error !== null && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </>
  );
}

function Suggestions({ kind, names }: { kind: Kind; names: TableProps["suggested"] }) {
  const known = new Map(names.filter((name) => name.kind === kind).map(({ theirs, title }) => [theirs, title]));
  return (
    <datalist id={`known-${kind}`}>
      {[...known].map(([theirs, title]) => (
        <option key={theirs} value={theirs}>
          {title}
        </option>
      ))}
    </datalist>
  );
}

/** Return what an entry is called for who can't see its row. */
function named({ kind, country, ours, isAdded }: Row): string {
  if (isAdded) return "the new entry";
  return kind === "operator" ? `operator ${ours} in ${country}` : `${kind} ${ours}`;
}
