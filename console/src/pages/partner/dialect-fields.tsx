import { SelectField, TextField } from "../../components/form";
import type { Dialect } from "./draft";
import { EVIDENCE, uncertainInWords } from "./dialect";
import { type Chosen, type DialectView, OVERRIDE_NAMES, choicesOf, labelOf, valueOf } from "./switches";

interface DialectFieldProps {
  readonly known: readonly DialectView[];
  readonly value: Dialect;
  readonly onChange: (dialect: Dialect) => void;
}

/** Which dialect the partner speaks, and how sure we are of it. */
export function DialectField({ known, value, onChange }: DialectFieldProps) {
  const chosen = known.find(({ name }) => name === value);
  return (
    <>
      <SelectField
        name="dialect"
        label="Dialect"
        hint="The variant of the protocol that the partner speaks."
        value={value}
        options={known.map(({ name, title }) => [name as Dialect, title] as const)}
        onChange={onChange}
      />
      {chosen && (
        <p class="field-note" role="status">
          {EVIDENCE[chosen.evidence]} {uncertainInWords(chosen)}
        </p>
      )}
    </>
  );
}

interface PushPresetProps {
  readonly dialect: DialectView;
  readonly pushUrl: string;
  readonly onUse: (pushUrl: string) => void;
}

/** Offers the Push URL that most suppliers of a hub have. */
export function PushPreset({ dialect: { title, pushUrl: usual }, pushUrl, onUse }: PushPresetProps) {
  if (usual === null || usual === pushUrl.trim()) return null;
  return (
    <p class="field-note">
      Most suppliers of {title} push to <span class="url">{usual}</span>{" "}
      <button type="button" class="small" onClick={() => onUse(usual)}>
        Use this URL
      </button>
    </p>
  );
}

interface OverridesProps {
  readonly dialect: DialectView;
  readonly chosen: Chosen;
  readonly onChange: (chosen: Chosen) => void;
}

/** What the partner has otherwise than its dialect says. */
export function Overrides({ dialect, chosen, onChange }: OverridesProps) {
  const set = OVERRIDE_NAMES.filter((name) => chosen[name].trim() !== "");
  return (
    <details class="field overrides">
      <summary>
        Overrides: {set.length === 0 ? "none" : set.length}
      </summary>
      <p class="hint">Where this partner turns out to differ from what we know of {dialect.title}.</p>
      {OVERRIDE_NAMES.map((name) => (
        <Override
          key={name}
          name={name}
          dialect={dialect}
          value={chosen[name]}
          onChange={(value) => onChange({ ...chosen, [name]: value })}
        />
      ))}
    </details>
  );
}

interface OverrideProps {
  readonly name: (typeof OVERRIDE_NAMES)[number];
  readonly dialect: DialectView;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function Override({ name, dialect: { title, switches, uncertain }, value, onChange }: OverrideProps) {
  const label = `${labelOf(name)}${uncertain.includes(name) ? " (uncertain)" : ""}`;
  const own = `As ${title}: ${valueOf(name, switches)}`;
  const choices = choicesOf(name, switches);
  // The API names a switch so.
  const field = `overrides.${name}`;
  if (choices === null) {
    const hint = `In bytes. Empty: ${own.charAt(0).toLowerCase()}${own.slice(1)}.`;
    return <TextField name={field} label={label} hint={hint} value={value} onChange={onChange} inputMode="numeric" />;
  }
  return <SelectField name={field} label={label} value={value} options={[["", own], ...choices]} onChange={onChange} />;
}
