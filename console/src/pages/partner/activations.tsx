import { type Schemas, api } from "../../api";
import { Listing } from "../../components/listing";
import { ActivationOutcome } from "../../components/outcome";
import { Pool } from "../../components/pool";
import { Time } from "../../components/time";
import { hrefTo } from "../../router";

/** What a partner has bought. */
export function Activations({ partnerId, every }: { partnerId: string; every: number }) {
  return (
    <section>
      <h2>Activations</h2>
      <Listing<Schemas["ActivationView"]>
        caption="Activations"
        deps={[partnerId]}
        every={every}
        load={async (cursor, signal) => {
          const page = await api.get("/admin/activations", { query: { partnerId, cursor }, signal });
          return { rows: page.activations, cursor: page.cursor };
        }}
        keyOf={(activation) => activation.activationId}
        columns={[
          { title: "Started", cell: (activation) => <Time at={activation.startedAt} /> },
          {
            title: "Activation",
            cell: (activation) => (
              <a href={hrefTo("activations", activation.activationId)}>{activation.activationId}</a>
            ),
          },
          { title: "Service", cell: (activation) => <code>{activation.service}</code> },
          {
            title: "Number",
            cell: (activation) => (
              <a class="whole" href={hrefTo("numbers", activation.phone)}>
                {activation.phone}
              </a>
            ),
          },
          { title: "Pool", cell: (activation) => <Pool {...activation} /> },
          { title: "Outcome", cell: (activation) => <ActivationOutcome activation={activation} /> },
        ]}
        empty="It has bought nothing yet."
      />
    </section>
  );
}
