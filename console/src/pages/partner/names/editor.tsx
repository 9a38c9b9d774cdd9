import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useAction } from "../../../action";
import { type Schemas, api } from "../../../api";
import { Act } from "../../../components/act";
import { FieldErrors, Form, SelectField } from "../../../components/form";
import { Failure, Success } from "../../../components/status";
import { count, plural } from "../../../figures";
import { ApiError } from "../../../http";
import {
  type Entry,
  type Names,
  NamesRefused,
  type Unmapped,
  asCsv,
  asJson,
  entriesOf,
  keyOf,
  lackingEntries,
  replaceNames,
} from "../../../hub-names";
import { save } from "../../../save";
import { EMPTY_FILTER, Filters, isFound } from "./filters";
import { ImportNames } from "./import-names";
import { type Row, Table } from "./table";

type StartingName = Schemas["StartingName"];

const UNMAPPED: readonly (readonly [Unmapped, string])[] = [
  ["pass", "Pass: offered by our own name"],
  ["hide", "Hide: not offered to this partner"],
];

interface EditorProps {
  readonly partner: Schemas["PartnerView"];
  readonly known: Names;
  /** What is on sale and has no entry; undefined until that is known. */
  readonly lacking: Schemas["UnmappedView"] | undefined;
  readonly onSaved: () => void;
}

/** A partner's names, changed as a whole. */
export function Editor({ partner, known, lacking, onSaved }: EditorProps) {
  const names = useRows(known, lacking);
  const [unmapped, setUnmapped] = useState(known.unmapped);
  const [filter, setFilter] = useState(EMPTY_FILTER);
  const [wrong, setWrong] = useState<{ readonly id: number; readonly text: string } | null>(null);
  const [report, setReport] = useState<string | null>(null);
  const [importing, setImporting] = useState(false);
  const [suggested, setSuggested] = useState<readonly StartingName[]>([]);

  // What is found doesn't change while one types: rows must not go from under the cursor.
  const found = useMemo(() => new Set(names.rows.filter((row) => isFound(row, filter)).map(({ id }) => id)), [
    filter,
    names.generation,
  ]);
  const shown = names.rows.filter(({ id }) => found.has(id) || id === wrong?.id);
  const entries = names.rows.filter(({ theirs }) => theirs.trim() !== "");
  const unfinished = names.rows.find(({ isAdded, ours, theirs }) => isAdded && ours.trim() && !theirs.trim());
  const first = shown.find(({ id }) => id === wrong?.id);

  const touch = () => setReport(null);
  const send = async () => {
    touch();
    setWrong(null);
    try {
      if (unfinished) throw new NamesRefused(unfinished, "Enter their name");
      const saved = await replaceNames(partner.partnerId, entries, unmapped);
      names.replace(entriesOf(saved));
      setUnmapped(saved.unmapped);
      setReport(`${plural(entriesOf(saved).length, "name")} saved.`);
      onSaved();
    } catch (error) {
      if (!(error instanceof NamesRefused)) throw error;
      setWrong({ id: (error.entry as Row).id, text: error.message });
      // It is shown at its row.
      throw new FieldErrors({});
    }
  };
  const start = useAction(async () => {
    touch();
    const known = await startingNames(partner.dialect);
    setSuggested(known);
    const filled = names.fill(known);
    setReport(known.length ? startedInWords(known.length, filled) : "No names of this hub are known.");
  });

  return (
    <section aria-labelledby="names">
      <div class="head">
        <h2 id="names">Names</h2>
        <div class="buttons">
          <Act deed="put /admin/partners/{partnerId}/names" onClick={names.add}>
            Add entry
          </Act>
          <Act deed="put /admin/partners/{partnerId}/names" busy={start.busy} onClick={() => start.run()}>
            {start.busy ? "One moment…" : `Start from ${partner.dialect}'s set`}
          </Act>
          <Act deed="put /admin/partners/{partnerId}/names" onClick={() => setImporting(true)}>
            Import
          </Act>
          <button type="button" onClick={() => save(asCsv(entries, unmapped), "names.csv")}>
            Download CSV
          </button>
          <button type="button" onClick={() => save(asJson(entries, unmapped), "names.json")}>
            Download JSON
          </button>
        </div>
      </div>
      <p class="lead">
        What this partner calls what we have. Several of our countries or operators may have one name, and count together;
        each service has its own. Operator <code>*</code> stands for all of a country that have no entry. What is on sale and
        has no name comes first.
      </p>
      {start.error !== null && <Failure text={start.error} />}
      <Filters filter={filter} onChange={setFilter} />
      <Form submit="Save" label="Names" onSubmit={send} deed="put /admin/partners/{partnerId}/names">
        <p class="quiet" role="status">
          {plural(entries.length, "name")} in all, {plural(shown.length, "row")} found.
        </p>
        <Table
          key={`${filter.text}/${filter.kind}/${filter.isLacking}`}
          rows={first ? [first, ...shown.filter((row) => row !== first)] : shown}
          wrong={wrong}
          suggested={suggested}
          onChange={(row) => {
            touch();
            names.change(row);
          }}
          onRemove={(row) => {
            touch();
            names.remove(row);
          }}
        />
        <SelectField
          name="unmapped"
          label="What has no name here is"
          value={unmapped}
          options={UNMAPPED}
          onChange={(value) => {
            touch();
            setUnmapped(value);
          }}
        />
        {report !== null && <Success>{report}</Success>}
      </Form>
      {importing && (
        <ImportNames
          onRead={(file) => {
            setImporting(false);
            touch();
            setWrong(null);
            names.replace(file.entries);
            setUnmapped(file.unmapped);
            setReport(`${plural(file.entries.length, "name")} read. Nothing is saved yet.`);
          }}
          onClose={() => setImporting(false)}
        />
      )}
    </section>
  );
}

function useRows(known: Names, lacking: Schemas["UnmappedView"] | undefined) {
  const last = useRef(0);
  const asRow = (entry: Entry, isAdded = false): Row => ({ ...entry, id: (last.current += 1), isAdded });
  const [rows, setRows] = useState<readonly Row[]>(() => entriesOf(known).map((entry) => asRow(entry)));
  // Counts what adds or removes rows, or fills them in.
  const [generation, setGeneration] = useState(0);
  const set = (made: (before: readonly Row[]) => readonly Row[]) => {
    setRows(made);
    setGeneration((times) => times + 1);
  };
  const withLacking = (before: readonly Row[]) => {
    if (!lacking) return before;
    const wanted = new Map(lackingEntries(lacking).map((entry) => [keyOf(entry), entry]));
    // What has no name and needs none any more goes.
    const kept = before.filter((row) => row.theirs.trim() !== "" || row.isAdded || wanted.has(keyOf(row)));
    for (const row of kept) wanted.delete(keyOf(row));
    return [...[...wanted.values()].map((entry) => asRow(entry)), ...kept];
  };

  useEffect(() => set(withLacking), [lacking]);

  return {
    rows,
    generation,
    change: (row: Row) => setRows((before) => before.map((one) => (one.id === row.id ? row : one))),
    remove: (row: Row) => set((before) => withLacking(before.filter(({ id }) => id !== row.id))),
    add: () => set((before) => [asRow({ kind: "operator", country: "", ours: "", theirs: "" }, true), ...before]),
    replace: (entries: readonly Entry[]) => set(() => withLacking(entries.map((entry) => asRow(entry)))),
    /** Fill in the names that are equal to ours, where there are none yet; return how many. */
    fill: (starting: readonly StartingName[]) => {
      const equal = new Map(starting.flatMap((name) => (name.ours === null ? [] : [[placeOf(name, name.ours), name.theirs]])));
      const filled = rows.map((row) =>
        row.theirs.trim() ? row : { ...row, theirs: equal.get(placeOf(row, row.ours)) ?? row.theirs },
      );
      set(() => filled);
      return filled.filter((row, at) => row.theirs !== rows[at]?.theirs).length;
    },
  };
}

/** Return what a name of ours is found by: an operator in its country, however the hub spells that. */
function placeOf({ kind, country }: { readonly kind: string; readonly country: string | null }, ours: string): string {
  return JSON.stringify([kind, kind === "operator" ? (country ?? "").toLowerCase() : "", ours]);
}

async function startingNames(dialect: string): Promise<readonly StartingName[]> {
  try {
    return (await api.get("/admin/dialects/{dialect}/names", { path: { dialect } })).names;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}

function startedInWords(known: number, filled: number): string {
  return `${count(filled)} of ${plural(known, "known name")} filled in: those that are equal to ours. The others are suggested while you type. Nothing is saved yet.`;
}
