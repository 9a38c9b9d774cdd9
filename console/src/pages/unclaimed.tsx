import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { type Schemas, api } from "../api";
import { Act } from "../components/act";
import { Head } from "../components/head";
import { Listing } from "../components/listing";
import { Time } from "../components/time";
import { useData } from "../data";
import { hrefTo } from "../router";
import type { Page } from "./page";

type Sms = Schemas["UnclaimedSmsView"];
type Payload = Schemas["UnreadablePayloadView"] & { readonly place: string };
type Texts = "shown" | "hidden";

export const unclaimed: Page = { route: "/unclaimed", title: "Unclaimed SMS", menu: "Unclaimed", view: Unclaimed };
export const unreadable: Page = { route: "/unclaimed/payloads", title: "Unreadable payloads", view: Unreadable };

function Unclaimed() {
  const name = useSourceNames();
  return (
    <Inbox title={unclaimed.title} what="texts" lead="SMS that belong to no activation, and why.">
      {(texts) => (
        <Listing<Sms>
          caption={unclaimed.title}
          deps={[texts]}
          load={async (cursor, signal) => {
            const page = await api.get("/admin/unclaimed", { query: { cursor, texts }, signal });
            return { rows: page.messages, cursor: page.cursor };
          }}
          keyOf={(sms) => sms.smsId}
          columns={[
            { title: "Received", cell: (sms) => <Time at={sms.receivedAt} /> },
            { title: "Number", cell: (sms) => <a href={hrefTo("numbers", sms.phone)}>{sms.phone}</a> },
            { title: "From", cell: (sms) => <bdi class="foreign">{sms.phoneFrom}</bdi> },
            { title: "Text", cell: (sms) => <Foreign text={sms.text} /> },
            { title: "Source", cell: (sms) => <bdi>{name(sms.sourceId)}</bdi> },
            { title: "Reason", cell: reasonOf },
          ]}
          empty="No unclaimed SMS."
        />
      )}
    </Inbox>
  );
}

function reasonOf({ reason, repeats }: Sms) {
  return repeats ? `${reason}; received ${repeats} more ${repeats === 1 ? "time" : "times"}` : reason;
}

function Unreadable() {
  const name = useSourceNames();
  return (
    <Inbox title={unreadable.title} what="payloads" lead="What gateways sent that could not be read as an SMS.">
      {(texts) => (
        <Listing<Payload>
          caption={unreadable.title}
          deps={[texts]}
          load={async (cursor, signal) => {
            const page = await api.get("/admin/unreadable", { query: { cursor, texts }, signal });
            // Payloads have no id; since the list does not refresh itself, their place in it serves as one.
            const rows = page.payloads.map((payload, index) => ({ ...payload, place: `${cursor ?? ""}/${index}` }));
            return { rows, cursor: page.cursor };
          }}
          keyOf={(payload) => payload.place}
          columns={[
            { title: "Received", cell: (payload) => <Time at={payload.storedAt} /> },
            { title: "Source", cell: (payload) => <bdi>{name(payload.sourceId)}</bdi> },
            { title: "Reason", cell: (payload) => <span class="foreign">{payload.reason}</span> },
            { title: "Payload", cell: (payload) => <Foreign text={payload.payload} /> },
          ]}
          empty="No unreadable payloads."
        />
      )}
    </Inbox>
  );
}

interface InboxProps {
  readonly title: string;
  /** What is hidden until it is asked for. */
  readonly what: string;
  readonly lead: string;
  readonly children: (texts: Texts) => ComponentChildren;
}

/** One of the two lists of what reached no activation. */
function Inbox({ title, what, lead, children }: InboxProps) {
  const [texts, setTexts] = useState<Texts>("hidden");
  const [refreshes, setRefreshes] = useState(0);
  return (
    <>
      <Head title={title}>
        <button type="button" onClick={() => setRefreshes(refreshes + 1)}>
          Refresh
        </button>
        <Act
          deed="texts"
          aria-describedby="recorded"
          onClick={() => setTexts(texts === "hidden" ? "shown" : "hidden")}
        >
          {texts === "hidden" ? `Show ${what}` : `Hide ${what}`}
        </Act>
      </Head>
      <nav class="tabs" aria-label="Unclaimed">
        <Tab page={unclaimed} title={title} />
        <Tab page={unreadable} title={title} />
      </nav>
      <p class="lead">
        {lead} <span id="recorded">They hold other people's codes: viewing them is recorded in the audit log.</span>
      </p>
      <div key={refreshes}>{children(texts)}</div>
    </>
  );
}

function Tab({ page, title }: { page: Page; title: string }) {
  return (
    <a href={hrefTo(...page.route.split("/").filter(Boolean))} aria-current={page.title === title ? "page" : undefined}>
      {page.title}
    </a>
  );
}

function Foreign({ text }: { text: string | null }) {
  if (text === null) return <span class="quiet">Hidden</span>;
  return text ? <span class="foreign">{text}</span> : <span class="quiet">Empty</span>;
}

/** Return what gives a source's name by its id, or the id while that is unknown. */
function useSourceNames(): (sourceId: string) => string {
  const sources = useData((signal) => api.get("/admin/sources", { signal }), []);
  const names = new Map(sources.value?.sources.map((source) => [source.sourceId, source.name]));
  return (sourceId) => names.get(sourceId) ?? sourceId;
}
