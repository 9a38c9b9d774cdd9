import type { Schemas } from "../../api";
import { Badge } from "../../components/badge";
import { Rows } from "../../components/listing";
import { Loaded } from "../../components/status";
import type { Data } from "../../data";
import { type Compared, type DialectView, compared, labelOf } from "./switches";

/** Where what we know of a hub comes from. */
export const EVIDENCE: Readonly<Record<DialectView["evidence"], string>> = {
  contract: "Our own protocol.",
  document: "Known from the hub's own document, read whole.",
  part: "Known from a part of the hub's own document.",
  observed: "Known from what its other suppliers do; no document is known.",
};

/** Return which switches a hub may turn out to have otherwise, as a sentence. */
export function uncertainInWords({ uncertain }: DialectView): string {
  return uncertain.length ? `Uncertain: ${uncertain.map(labelOf).join(", ")}.` : "";
}

interface DialectSwitchesProps {
  readonly partner: Schemas["PartnerView"];
  readonly dialects: Data<Schemas["DialectList"]>;
}

/** All switches of a partner's dialect as they apply to it. */
export function DialectSwitches({ partner: known, dialects }: DialectSwitchesProps) {
  return (
    <section aria-labelledby="dialect">
      <h2 id="dialect">Dialect</h2>
      <Loaded data={dialects}>
        {(all) => {
          const dialect = all.dialects.find(({ name }) => name === known.dialect);
          return dialect ? <Switches dialect={dialect} partner={known} /> : <code>{known.dialect}</code>;
        }}
      </Loaded>
    </section>
  );
}

function Switches({ dialect, partner: { overrides } }: { dialect: DialectView; partner: Schemas["PartnerView"] }) {
  return (
    <>
      <p class="lead">
        What applies to this partner, which speaks the dialect of {dialect.title}. {EVIDENCE[dialect.evidence]}
      </p>
      <Rows<Compared>
        caption="Switches"
        rows={compared(dialect.switches, overrides)}
        keyOf={({ name }) => name}
        columns={[
          { title: "Switch", cell: ({ label }) => label },
          {
            title: "This partner",
            cell: (one) => (
              <>
                {one.partner} {one.partner !== one.dialect && <Badge tone="warn">Overridden</Badge>}
              </>
            ),
          },
          {
            title: dialect.title,
            cell: (one) => (
              <>
                {one.dialect} {dialect.uncertain.includes(one.name) && <Badge>Uncertain</Badge>}
              </>
            ),
          },
        ]}
      />
    </>
  );
}
