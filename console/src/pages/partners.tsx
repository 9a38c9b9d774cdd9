import { useState } from "preact/hooks";
import { type Schemas, api } from "../api";
import { Badge } from "../components/badge";
import { Dialog } from "../components/dialog";
import { Form } from "../components/form";
import { Listing } from "../components/listing";
import { Secret } from "../components/secret";
import { Time } from "../components/time";
import { Head } from "../layout";
import { goTo, hrefTo } from "../router";
import type { Page } from "./page";
import { NOTHING_TYPED, PartnerFields, check, given, servicesInWords } from "./partner-fields";

type Partner = Schemas["PartnerView"];

export const partners: Page = { route: "/partners", title: "Partners", menu: "Partners", view: Partners };

// So many codes are named in the list.
const MOST_NAMED = 5;

function Partners() {
  const [adding, setAdding] = useState(false);
  const [changes, setChanges] = useState(0);

  return (
    <>
      <Head title="Partners">
        <button type="button" class="primary" onClick={() => setAdding(true)}>
          New partner
        </button>
      </Head>
      <p class="lead">The hubs that buy from us, each with a key of its own. In no particular order.</p>
      <Listing<Partner>
        caption="Partners"
        deps={[changes]}
        load={async (cursor, signal) => {
          const page = await api.get("/admin/partners", { query: { cursor }, signal });
          return { rows: page.partners, cursor: page.cursor };
        }}
        keyOf={(partner) => partner.partnerId}
        columns={[
          {
            title: "Name",
            cell: (partner) => (
              <a href={hrefTo("partners", partner.partnerId)}>
                <bdi>{partner.name}</bdi>
              </a>
            ),
          },
          { title: "State", cell: (partner) => <PartnerState partner={partner} /> },
          { title: "Push URL", cell: (partner) => <PushUrl partner={partner} /> },
          { title: "Services", cell: (partner) => some(partner.services) },
          {
            title: "Last took a push",
            cell: (partner) =>
              partner.lastSuccessAt ? <Time at={partner.lastSuccessAt} /> : <span class="quiet">Never</span>,
          },
        ]}
        empty="There are no partners yet. The first one gets a key, and can buy."
      />
      {adding && <NewPartnerDialog onIssued={() => setChanges(changes + 1)} onClose={() => setAdding(false)} />}
    </>
  );
}

/** Where its SMS are pushed to. */
export function PushUrl({ partner: { pushUrl } }: { partner: Partner }) {
  return pushUrl === null ? <span class="quiet">None</span> : <bdi class="url">{pushUrl}</bdi>;
}

/** Whether a partner can buy, and how pushing to it goes. */
export function PartnerState({ partner }: { partner: Partner }) {
  if (partner.revoked) return <Badge tone="bad">Revoked</Badge>;
  return (
    <>
      {partner.paused && <Badge tone="warn">Paused</Badge>} {pushing(partner)}
    </>
  );
}

function pushing(partner: Partner) {
  if (partner.inTrouble) return <Badge tone="bad">In trouble</Badge>;
  if (partner.slowUntil) return <Badge tone="warn">Slow</Badge>;
  return partner.paused ? null : <Badge tone="good">Active</Badge>;
}

function some(services: readonly string[] | null): string {
  if (services === null || services.length <= MOST_NAMED) return servicesInWords(services);
  return `${services.slice(0, MOST_NAMED).join(", ")} and ${services.length - MOST_NAMED} more`;
}

function NewPartnerDialog({ onIssued, onClose }: { onIssued: () => void; onClose: () => void }) {
  const [typed, setTyped] = useState(NOTHING_TYPED);
  const [issued, setIssued] = useState<Schemas["PartnerWithKey"] | null>(null);

  const send = async () => {
    check(typed);
    setIssued(await api.post("/admin/partners", { body: given(typed) }));
    onIssued();
  };

  if (issued) {
    return (
      <Dialog key="issued" title="The key is issued" onClose={onClose}>
        <p>
          Send it to <bdi>{issued.name}</bdi> in a way that nobody else can read.
        </p>
        <Secret label="Key" value={issued.key} />
        <div class="buttons">
          <button
            type="button"
            class="primary"
            onClick={() => {
              onClose();
              goTo("partners", issued.partnerId);
            }}
          >
            I have copied it
          </button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog key="asked" title="New partner" onClose={onClose}>
      <Form submit="Issue a key" onSubmit={send} onCancel={onClose}>
        <PartnerFields typed={typed} onChange={setTyped} />
      </Form>
    </Dialog>
  );
}
