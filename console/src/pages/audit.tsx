import { useState } from "preact/hooks";
import { type Schemas, api } from "../api";
import { Badge, type Tone } from "../components/badge";
import { Head } from "../components/head";
import { Listing } from "../components/listing";
import { Time } from "../components/time";
import { hrefTo } from "../router";
import type { Page } from "./page";

type Entry = Schemas["AuditEntryView"] & { readonly place: string };
type Detail = Entry["details"][string];

export const audit: Page = { route: "/audit", title: "Audit log", menu: "Audit log", view: Audit };

const ACTIONS: Readonly<Record<string, string>> = {
  "activation.ended": "Activation ended",
  "import.finished": "Import finished",
  "import.part_sent": "Import part sent",
  "import.started": "Import started",
  "incomplete.texts_read": "Incomplete SMS viewed",
  "message.pushed_again": "SMS pushed again",
  "number.changed": "Number changed",
  "number.marks_lifted": "Marks lifted from a number",
  "number.online": "Line put online",
  "number.restored": "Number restored",
  "number.tested": "Number tried out",
  "number.withdrawn": "Number withdrawn",
  "numbers.changed": "Numbers changed",
  "numbers.imported": "Numbers imported",
  "numbers.restored": "Numbers restored",
  "numbers.withdrawn": "Numbers withdrawn",
  "partner.answers_read": "Answers to pushes viewed",
  "partner.changed": "Partner changed",
  "partner.issued": "Key issued",
  "partner.key_rotated": "Key rotated",
  "partner.link_made": "Link to a key made",
  "partner.marks_lifted": "Marks of a partner lifted",
  "partner.names_replaced": "Names replaced",
  "partner.paused": "Partner paused",
  "partner.push_tested": "Test push sent",
  "partner.resumed": "Partner resumed",
  "partner.revoked": "Partner revoked",
  "partner.signing_secret_rotated": "Signing secret created",
  "partner.signing_secrets_removed": "Signing stopped",
  "payload.replayed": "Payload read again",
  "service.put": "Service saved",
  "sms.texts_read": "SMS texts viewed",
  "source.added": "Source added",
  "source.changed": "Source changed",
  "source.device_removed": "Device forgotten",
  "source.lines_changed": "Lines changed",
  "source.lines_replaced": "Lines replaced",
  "source.removed": "Source removed",
  "source.secret_replaced": "Source secret replaced",
  "staff.changed": "Person changed",
  "staff.invited": "Person invited",
  "staff.password_reset": "Password reset",
  "staff.removed": "Person removed",
  "staff.signed_out": "Sessions ended",
  "staff.totp_removed": "Second factor removed",
  "tests.texts_read": "Tests viewed",
  "unclaimed.texts_read": "Unclaimed SMS viewed",
  "unreadable.payloads_read": "Unreadable payloads viewed",
  "waiting.texts_read": "Waiting SMS viewed",
};

// The page of an action's subject, by the start of the action's name.
const PAGES: Readonly<Record<string, string>> = {
  activation: "activations",
  import: "imports",
  message: "activations",
  number: "numbers",
  partner: "partners",
  sms: "activations",
};

const RESULTS: Readonly<Record<Entry["result"], readonly [Tone, string]>> = {
  done: ["good", "Done"],
  refused: ["bad", "Refused"],
  started: ["warn", "Unknown"],
};

// Longer lists are folded.
const MAX_LISTED = 6;

function Audit() {
  const [refreshes, setRefreshes] = useState(0);
  return (
    <>
      <Head title={audit.title}>
        <button type="button" onClick={() => setRefreshes(refreshes + 1)}>
          Refresh
        </button>
      </Head>
      <p class="lead">Every change by staff and every view of SMS texts, newest first.</p>
      <Listing<Entry>
        caption={audit.title}
        deps={[refreshes]}
        load={async (cursor, signal) => {
          const page = await api.get("/admin/audit", { query: { cursor }, signal });
          // Entries have no id; since the list does not refresh itself, their place in it serves as one.
          const rows = page.entries.map((entry, index) => ({ ...entry, place: `${cursor ?? ""}/${index}` }));
          return { rows, cursor: page.cursor };
        }}
        keyOf={(entry) => entry.place}
        columns={[
          { title: "When", cell: (entry) => <Time at={entry.at} /> },
          { title: "Staff", cell: (entry) => <span class="email" title={entry.staff}>{entry.staffName}</span> },
          { title: "Action", cell: (entry) => ACTIONS[entry.action] ?? entry.action },
          { title: "Subject", cell: (entry) => <Subject entry={entry} /> },
          { title: "Result", cell: (entry) => <Result result={entry.result} /> },
          { title: "Details", cell: (entry) => <Details details={entry.details} /> },
        ]}
        empty="No entries yet."
      />
    </>
  );
}

function Subject({ entry }: { entry: Entry }) {
  if (entry.id === null) return <span class="quiet">None</span>;
  const page = PAGES[entry.action.split(".")[0] ?? ""];
  return page ? <a href={hrefTo(page, entry.id)}>{entry.id}</a> : <bdi>{entry.id}</bdi>;
}

function Result({ result }: { result: Entry["result"] }) {
  const [tone, word] = RESULTS[result];
  return <Badge tone={tone}>{word}</Badge>;
}

function Details({ details }: { details: Entry["details"] }) {
  const named = Object.entries(details);
  if (!named.length) return <span class="quiet">None</span>;
  return (
    <ul class="details">
      {named.map(([name, detail]) => (
        <li key={name}>
          {Array.isArray(detail) && detail.length > MAX_LISTED ? (
            <details>
              <summary>
                {name}: {detail.length}
              </summary>
              <span>{detail.join(", ")}</span>
            </details>
          ) : (
            <>
              {name}: <bdi>{inWords(detail)}</bdi>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

function inWords(detail: Detail): string {
  if (!Array.isArray(detail)) return String(detail);
  return detail.length ? detail.join(", ") : "none";
}
