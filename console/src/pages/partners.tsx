import { useState } from "preact/hooks";
import { type Schemas, api } from "../api";
import { Act } from "../components/act";
import { Dialog } from "../components/dialog";
import { Form } from "../components/form";
import { Head } from "../components/head";
import { Listing } from "../components/listing";
import { SecretDialog } from "../components/secret";
import { Warning } from "../components/status";
import { Time } from "../components/time";
import { useData } from "../data";
import { goTo, hrefTo } from "../router";
import type { Page } from "./page";
import { DeveloperLink } from "./partner/developer-link";
import { EMPTY_DRAFT, check, fieldsOf, servicesInWords, warningInWords } from "./partner/draft";
import { PartnerFields } from "./partner/fields";
import { PartnerState, PushUrl } from "./partner/state";

type Partner = Schemas["PartnerView"];

export const partners: Page = { route: "/partners", title: "Partners", menu: "Partners", view: Partners };

// So many codes of services are named in the list.
const MAX_NAMED = 5;

function Partners() {
  const [adding, setAdding] = useState(false);
  const [changes, setChanges] = useState(0);

  return (
    <>
      <Head title="Partners">
        <Act deed="post /admin/partners" class="primary" onClick={() => setAdding(true)}>
          New partner
        </Act>
      </Head>
      <p class="lead">The hubs that buy from us, each with its own key. In no particular order.</p>
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
          { title: "Services", cell: (partner) => shortened(partner.services) },
          {
            title: "Last delivered push",
            cell: (partner) =>
              partner.lastSuccessAt ? <Time at={partner.lastSuccessAt} /> : <span class="quiet">Never</span>,
          },
        ]}
        empty="No partners yet. The first one gets a key and can buy."
      />
      {adding && <NewPartnerDialog onIssued={() => setChanges(changes + 1)} onClose={() => setAdding(false)} />}
    </>
  );
}

function shortened(services: readonly string[] | null): string {
  if (services === null || services.length <= MAX_NAMED) return servicesInWords(services);
  return `${services.slice(0, MAX_NAMED).join(", ")} and ${services.length - MAX_NAMED} more`;
}

function NewPartnerDialog({ onIssued, onClose }: { onIssued: () => void; onClose: () => void }) {
  const [draft, setDraft] = useState(EMPTY_DRAFT);
  const dialects = useData((signal) => api.get("/admin/dialects", { signal }), []);
  const [issued, setIssued] = useState<Schemas["IssuedPartner"] | null>(null);

  const send = async () => {
    check(draft);
    setIssued(await api.post("/admin/partners", { body: fieldsOf(draft) }));
    onIssued();
  };

  if (issued) {
    const warning = warningInWords(issued.offerWarning);
    return (
      <SecretDialog
        title="Key issued"
        label="Key"
        value={issued.key}
        onClose={onClose}
        onCopied={() => {
          onClose();
          goTo("partners", issued.partnerId);
        }}
        below={<DeveloperLink partnerId={issued.partnerId} />}
      >
        <p>
          Send it to <bdi>{issued.name}</bdi> in a way that nobody else can read, or a link below that shows it once.
        </p>
        {warning !== null && <Warning>{warning}</Warning>}
      </SecretDialog>
    );
  }
  return (
    <Dialog title="New partner" onClose={onClose}>
      <Form submit="Issue key" onSubmit={send} onCancel={onClose}>
        <PartnerFields draft={draft} onChange={setDraft} dialects={dialects} />
      </Form>
    </Dialog>
  );
}
