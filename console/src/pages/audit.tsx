import { useState } from "preact/hooks";
import { type Schemas, api } from "../api";
import { Badge, type Tone } from "../components/badge";
import { Listing } from "../components/listing";
import { Time } from "../components/time";
import { Head } from "../layout";
import { hrefTo } from "../router";
import type { Page } from "./page";

type Entry = Schemas["AuditEntryView"] & { readonly place: string };
type Detail = Entry["details"][string];

export const audit: Page = { route: "/audit", title: "Audit log", menu: "Audit log", view: Audit };

const ACTIONS: Readonly<Record<string, string>> = {
  "import.started": "Import begun",
  "import.part_sent": "Part of an import sent",
  "import.finished": "Import finished",
  "message.pushed_again": "SMS pushed again",
  "number.changed": "Number changed",
  "number.marks_lifted": "Marks of a number lifted",
  "number.restored": "Number restored",
  "number.withdrawn": "Number withdrawn",
  "numbers.changed": "Numbers changed",
  "numbers.imported": "Numbers imported",
  "numbers.restored": "Numbers restored",
  "numbers.withdrawn": "Numbers withdrawn",
  "partner.answers_read": "Looked at answers to pushes",
  "partner.changed": "Partner changed",
  "partner.issued": "Key issued",
  "partner.key_rotated": "Key rotated",
  "partner.marks_lifted": "Marks of a partner lifted",
  "partner.push_tested": "Test push sent",
  "partner.revoked": "Partner revoked",
  "partner.signing_secret_rotated": "Signing secret made",
  "partner.signing_secrets_removed": "Signing stopped",
  "service.put": "Service saved",
  "sms.texts_read": "Looked at SMS texts",
  "source.added": "Source entered",
  "source.removed": "Source removed",
  "source.secret_replaced": "Source's secret replaced",
  "unclaimed.texts_read": "Looked at unclaimed SMS",
  "unreadable.payloads_read": "Looked at unreadable payloads",
};

// The page of what an action is about, by what the action's name begins with.
const PAGES: Readonly<Record<string, string>> = {
  import: "imports",
  message: "activations",
  number: "numbers",
  partner: "partners",
  sms: "activations",
};

const RESULTS: Readonly<Record<Entry["result"], readonly [Tone, string]>> = {
  done: ["good", "Done"],
  refused: ["bad", "Refused"],
  started: ["warn", "Not known"],
};

// A list with more is folded.
const MOST_LISTED = 6;

function Audit() {
  const [again, setAgain] = useState(0);
  return (
    <>
      <Head title={audit.title}>
        <button type="button" onClick={() => setAgain(again + 1)}>
          Look again
        </button>
      </Head>
      <p class="lead">Every change by staff, and every look at SMS texts. The newest come first.</p>
      <Listing<Entry>
        caption={audit.title}
        deps={[again]}
        load={async (cursor, signal) => {
          const page = await api.get("/admin/audit", { query: { cursor }, signal });
          // They have no id: where one stands tells it apart, since what is listed is not read again by itself.
          const rows = page.entries.map((entry, index) => ({ ...entry, place: `${cursor ?? ""}/${index}` }));
          return { rows, cursor: page.cursor };
        }}
        keyOf={(entry) => entry.place}
        columns={[
          { title: "When", cell: (entry) => <Time at={entry.at} /> },
          { title: "Staff", cell: (entry) => <span class="email" title={entry.staff}>{entry.staffName}</span> },
          { title: "What", cell: (entry) => ACTIONS[entry.action] ?? entry.action },
          { title: "Of", cell: (entry) => <Subject entry={entry} /> },
          { title: "Result", cell: (entry) => <Result result={entry.result} /> },
          { title: "Details", cell: (entry) => <Details details={entry.details} /> },
        ]}
        empty="Nothing is entered yet."
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
          {Array.isArray(detail) && detail.length > MOST_LISTED ? (
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
