import { SelectField, TextField } from "../../components/form";
import type { Dialect, Draft } from "./draft";
import { ServicesField } from "./services-field";

const DIALECTS: readonly (readonly [Dialect, string])[] = [
  ["globalconnect", "GlobalConnect"],
  ["smshub", "SMSHub"],
  ["smsbower", "SMSBower"],
  ["grizzly", "Grizzly"],
  ["onlinesim", "OnlineSim"],
  ["herosms", "HeroSMS"],
];

interface PartnerFieldsProps {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
}

export function PartnerFields({ draft, onChange }: PartnerFieldsProps) {
  return (
    <>
      <TextField
        name="name"
        label="Name"
        hint="Visible to staff only."
        value={draft.name}
        onChange={(name) => onChange({ ...draft, name })}
        required
      />
      <TextField
        name="pushUrl"
        label="Push URL"
        hint="Where SMS are pushed. Empty: nothing is pushed, SMS can only be polled."
        type="url"
        value={draft.pushUrl}
        onChange={(pushUrl) => onChange({ ...draft, pushUrl })}
      />
      <ServicesField services={draft.services} onChange={(services) => onChange({ ...draft, services })} />
      <SelectField
        name="dialect"
        label="Dialect"
        hint="The variant of the protocol that the partner speaks."
        value={draft.dialect}
        options={DIALECTS}
        onChange={(dialect) => onChange({ ...draft, dialect })}
      />
      <TextField
        name="maxLive"
        label="Most live activations"
        hint="With this many it can't buy until one ends. Empty: the deployment's default, or 100 for SMSHub."
        value={draft.maxLive}
        onChange={(maxLive) => onChange({ ...draft, maxLive })}
        inputMode="numeric"
      />
    </>
  );
}
