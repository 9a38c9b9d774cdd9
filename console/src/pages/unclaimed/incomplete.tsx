import { type Schemas, api } from "../../api";
import { Listing } from "../../components/listing";
import { Time } from "../../components/time";
import { hrefTo } from "../../router";
import { Foreign, Inbox, TITLES, useSourceNames } from "./inbox";

type Sms = Schemas["IncompleteSmsView"] & { readonly place: string };

/** Long SMS of which parts are missing. */
export function Incomplete() {
  const name = useSourceNames();
  return (
    <Inbox
      route="/unclaimed/incomplete"
      what="texts"
      lead="Long SMS that have lacked parts for more than 10 minutes. A part that still comes completes them within a day."
    >
      {(texts) => (
        <Listing<Sms>
          caption={TITLES["/unclaimed/incomplete"]}
          deps={[texts]}
          load={async (cursor, signal) => {
            const page = await api.get("/admin/incomplete", { query: { cursor, texts }, signal });
            // They have no id; since the list does not refresh itself, their place in it serves as one.
            const rows = page.messages.map((sms, index) => ({ ...sms, place: `${cursor ?? ""}/${index}` }));
            return { rows, cursor: page.cursor };
          }}
          keyOf={(sms) => sms.place}
          columns={[
            { title: "First part", cell: (sms) => <Time at={sms.arrivedAt} /> },
            { title: "Source", cell: (sms) => <bdi>{name(sms.sourceId)}</bdi> },
            { title: "Number", cell: (sms) => <Destination {...sms} /> },
            { title: "From", cell: (sms) => <bdi class="foreign">{sms.phoneFrom}</bdi> },
            { title: "Parts", cell: ({ parts, total }) => `${listed(parts)} of ${total}` },
            { title: "Missing", cell: ({ parts, total }) => listed(missing(parts, total)) },
            { title: "Text", cell: (sms) => <Foreign text={sms.text} /> },
          ]}
          empty="No incomplete SMS."
        />
      )}
    </Inbox>
  );
}

/** Where it went: a number, or a line that may be mapped. */
function Destination({ phone, line, sourceId }: Sms) {
  if (phone !== "") return <a href={hrefTo("numbers", phone)}>{phone}</a>;
  return (
    <>
      line{" "}
      <a class="foreign" href={hrefTo("sources", sourceId)}>
        {line}
      </a>
    </>
  );
}

function missing(parts: readonly number[], total: number): readonly number[] {
  return Array.from({ length: total }, (_, index) => index + 1).filter((part) => !parts.includes(part));
}

/** Return "1 and 3", or with runs "1–4 and 7". */
function listed(parts: readonly number[]): string {
  const runs: { from: number; to: number }[] = [];
  for (const part of parts) {
    const last = runs.at(-1);
    if (last && last.to === part - 1) last.to = part;
    else runs.push({ from: part, to: part });
  }
  const words = runs.map(({ from, to }) => (from === to ? `${from}` : `${from}–${to}`));
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
