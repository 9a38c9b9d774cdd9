import type { Schemas } from "../../api";
import { TextField } from "../../components/form";
import { Loaded } from "../../components/status";
import type { Data } from "../../data";
import { DialectField, Overrides, PushPreset } from "./dialect-fields";
import type { Draft } from "./draft";
import { ServicesField } from "./services-field";

interface PartnerFieldsProps {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
  readonly dialects: Data<Schemas["DialectList"]>;
}

export function PartnerFields({ draft, onChange, dialects }: PartnerFieldsProps) {
  const set = (changed: Partial<Draft>) => onChange({ ...draft, ...changed });
  const dialect = dialects.value?.dialects.find(({ name }) => name === draft.dialect);
  return (
    <>
      <TextField
        name="name"
        label="Name"
        hint="Visible to staff only."
        value={draft.name}
        onChange={(name) => set({ name })}
        required
      />
      <Loaded data={dialects}>
        {(known) => (
          <DialectField known={known.dialects} value={draft.dialect} onChange={(chosen) => set({ dialect: chosen })} />
        )}
      </Loaded>
      <TextField
        name="pushUrl"
        label="Push URL"
        hint="Where SMS are pushed. Empty: nothing is pushed, SMS can only be polled."
        type="url"
        value={draft.pushUrl}
        onChange={(pushUrl) => set({ pushUrl })}
      />
      {dialect && <PushPreset dialect={dialect} pushUrl={draft.pushUrl} onUse={(pushUrl) => set({ pushUrl })} />}
      <ServicesField services={draft.services} onChange={(services) => set({ services })} />
      <TextField
        name="maxLive"
        label="Most live activations"
        hint="With this many it can't buy until one ends. Empty: the deployment's default; without one, 100 where only FINISH ends an activation."
        value={draft.maxLive}
        onChange={(maxLive) => set({ maxLive })}
        inputMode="numeric"
      />
      <OfferFields offer={draft.offer} onChange={(offer) => set({ offer })} />
      {dialect && (
        <Overrides dialect={dialect} chosen={draft.overrides} onChange={(overrides) => set({ overrides })} />
      )}
    </>
  );
}

interface OfferFieldsProps {
  readonly offer: Draft["offer"];
  readonly onChange: (offer: Draft["offer"]) => void;
}

function OfferFields({ offer, onChange }: OfferFieldsProps) {
  return (
    <fieldset class="field">
      <legend>Offer</legend>
      <p class="hint">
        What it is shown of the free numbers of a pool. It may buy all of them, and the last ones are shown to one partner
        at a time. Both empty: it is shown all.
      </p>
      <div class="filters">
        <TextField
          name="offer.percent"
          label="Share (%)"
          value={offer.percent}
          onChange={(percent) => onChange({ ...offer, percent })}
          inputMode="numeric"
        />
        <TextField
          name="offer.most"
          label="At most"
          value={offer.most}
          onChange={(most) => onChange({ ...offer, most })}
          inputMode="numeric"
        />
      </div>
    </fieldset>
  );
}
