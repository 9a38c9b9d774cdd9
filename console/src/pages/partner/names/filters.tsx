import { KINDS, type Kind } from "../../../hub-names";
import { KIND_WORDS, type Row } from "./table";

/** Which names are shown. */
export interface Filter {
  readonly text: string;
  readonly kind: Kind | "";
  /** Only those without their name. */
  readonly isLacking: boolean;
}

export const EMPTY_FILTER: Filter = { text: "", kind: "", isLacking: false };

export function isFound({ kind, country, ours, theirs }: Row, filter: Filter): boolean {
  if (filter.kind !== "" && filter.kind !== kind) return false;
  if (filter.isLacking && theirs.trim() !== "") return false;
  const text = filter.text.trim().toLowerCase();
  return text === "" || [country, ours, theirs].some((name) => name.toLowerCase().includes(text));
}

export function Filters({ filter, onChange }: { filter: Filter; onChange: (filter: Filter) => void }) {
  return (
    <div class="filters">
      <div class="field">
        <label for="names-text">Find a name</label>
        <input
          id="names-text"
          type="search"
          autocomplete="off"
          value={filter.text}
          onInput={(event) => onChange({ ...filter, text: event.currentTarget.value })}
        />
      </div>
      <div class="field">
        <label for="names-kind">Kind</label>
        <select
          id="names-kind"
          value={filter.kind}
          onChange={(event) => onChange({ ...filter, kind: event.currentTarget.value as Filter["kind"] })}
        >
          <option value="">All</option>
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {KIND_WORDS[kind]}
            </option>
          ))}
        </select>
      </div>
      <div class="field check">
        <input
          id="names-lacking"
          type="checkbox"
          checked={filter.isLacking}
          onChange={(event) => onChange({ ...filter, isLacking: event.currentTarget.checked })}
        />
        <label for="names-lacking">Only without a name</label>
      </div>
    </div>
  );
}
