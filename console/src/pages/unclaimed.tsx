import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { type Schemas, api } from "../api";
import { Listing } from "../components/listing";
import { Time } from "../components/time";
import { useData } from "../data";
import { Head } from "../layout";
import { hrefTo } from "../router";
import type { Page } from "./page";

type Message = Schemas["UnclaimedSms"];
type Payload = Schemas["UnreadablePayload"] & { readonly place: string };
type Texts = "shown" | "hidden";

export const unclaimed: Page = { route: "/unclaimed", title: "Unclaimed SMS", menu: "Unclaimed", view: Unclaimed };
export const unreadable: Page = { route: "/unclaimed/payloads", title: "Unreadable payloads", view: Unreadable };

function Unclaimed() {
  const name = useSourceNames();
  return (
    <Inbox title={unclaimed.title} what="texts" lead="SMS that were given to no activation, and why.">
      {(texts) => (
        <Listing<Message>
          caption={unclaimed.title}
          deps={[texts]}
          load={async (cursor, signal) => {
            const page = await api.get("/admin/unclaimed", { query: { cursor, texts }, signal });
            return { rows: page.messages, cursor: page.cursor };
          }}
          keyOf={(message) => message.smsId}
          columns={[
            { title: "Received", cell: (message) => <Time at={message.receivedAt} /> },
            { title: "Number", cell: (message) => <a href={hrefTo("numbers", message.phone)}>{message.phone}</a> },
            { title: "From", cell: (message) => <bdi class="foreign">{message.phoneFrom}</bdi> },
            { title: "Text", cell: (message) => <Foreign text={message.text} /> },
            { title: "Source", cell: (message) => <bdi>{name(message.sourceId)}</bdi> },
            { title: "Why", cell: why },
          ]}
          empty="Every SMS that arrived belonged to an activation."
        />
      )}
    </Inbox>
  );
}

function why({ reason, repeats }: Message) {
  return repeats ? `${reason}; came ${repeats} more ${repeats === 1 ? "time" : "times"}` : reason;
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
            // They have no id: where one stands tells it apart, since what is listed is not read again by itself.
            const rows = page.payloads.map((payload, index) => ({ ...payload, place: `${cursor ?? ""}/${index}` }));
            return { rows, cursor: page.cursor };
          }}
          keyOf={(payload) => payload.place}
          columns={[
            { title: "Arrived", cell: (payload) => <Time at={payload.storedAt} /> },
            { title: "Source", cell: (payload) => <bdi>{name(payload.sourceId)}</bdi> },
            { title: "Why it can't be read", cell: (payload) => <span class="foreign">{payload.reason}</span> },
            { title: "Payload", cell: (payload) => <Foreign text={payload.payload} /> },
          ]}
          empty="Everything that arrived could be read."
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

/** One of the two lists of what found no activation. */
function Inbox({ title, what, lead, children }: InboxProps) {
  const [texts, setTexts] = useState<Texts>("hidden");
  const [again, setAgain] = useState(0);
  return (
    <>
      <Head title={title}>
        <button type="button" onClick={() => setAgain(again + 1)}>
          Look again
        </button>
        <button
          type="button"
          aria-describedby="recorded"
          onClick={() => setTexts(texts === "hidden" ? "shown" : "hidden")}
        >
          {texts === "hidden" ? `Show ${what}` : `Hide ${what}`}
        </button>
      </Head>
      <nav class="tabs" aria-label="Unclaimed">
        <Tab page={unclaimed} title={title} />
        <Tab page={unreadable} title={title} />
      </nav>
      <p class="lead">
        {lead} <span id="recorded">They hold other people's codes: who looks is recorded in the audit log.</span>
      </p>
      <div key={again}>{children(texts)}</div>
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

/** Gives the name of a source by its id; the id itself while it is not known. */
function useSourceNames(): (sourceId: string) => string {
  const sources = useData((signal) => api.get("/admin/sources", { signal }), []);
  const names = new Map(sources.value?.sources.map((source) => [source.sourceId, source.name]));
  return (sourceId) => names.get(sourceId) ?? sourceId;
}
