import { type Schemas, api } from "../../api";
import { Listing } from "../../components/listing";
import { Time } from "../../components/time";
import { hrefTo } from "../../router";
import { Foreign, Inbox, Repeats, TITLES, useSourceNames } from "./inbox";

type Sms = Schemas["WaitingSmsView"];

/** SMS on lines that nobody has mapped. */
export function Waiting() {
  const name = useSourceNames();
  return (
    <Inbox
      route="/unclaimed/waiting"
      what="texts"
      lead="SMS on lines of gateways of which nobody has said which number they are. Mapped, they go to whoever held it."
    >
      {(texts) => (
        <Listing<Sms>
          caption={TITLES["/unclaimed/waiting"]}
          deps={[texts]}
          load={async (cursor, signal) => {
            const page = await api.get("/admin/waiting", { query: { cursor, texts }, signal });
            return { rows: page.messages, cursor: page.cursor };
          }}
          keyOf={(sms) => sms.smsId}
          columns={[
            { title: "Arrived", cell: (sms) => <Time at={sms.arrivedAt} /> },
            { title: "Source", cell: (sms) => <SourceLink sms={sms} name={name(sms.sourceId)} /> },
            { title: "Line", cell: (sms) => <span class="foreign">{sms.line}</span> },
            { title: "Sent to", cell: (sms) => <SentTo destination={sms.destination} /> },
            { title: "From", cell: (sms) => <bdi class="foreign">{sms.phoneFrom}</bdi> },
            { title: "Text", cell: (sms) => <Foreign text={sms.text} /> },
            { title: "Again", cell: (sms) => <Again {...sms} /> },
            { title: "Map", cell: (sms) => <a href={lineHref(sms)}>Map line</a> },
          ]}
          empty="No SMS is waiting for its line to be mapped."
        />
      )}
    </Inbox>
  );
}

function SourceLink({ sms, name }: { sms: Sms; name: string }) {
  return (
    <a href={hrefTo("sources", sms.sourceId)}>
      <bdi>{name}</bdi>
    </a>
  );
}

function SentTo({ destination }: { destination: string }) {
  return destination === "" ? <span class="quiet">Not said</span> : <span class="foreign">{destination}</span>;
}

function Again({ repeats }: Sms) {
  return repeats === 0 ? <>–</> : <Repeats repeats={repeats} />;
}

/** Return the link to where a line is mapped. */
function lineHref({ sourceId, line }: Sms): string {
  return `${hrefTo("sources", sourceId)}?${new URLSearchParams({ line })}`;
}
