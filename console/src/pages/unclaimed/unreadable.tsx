import { useState } from "preact/hooks";
import { useAction } from "../../action";
import { type Schemas, api } from "../../api";
import { Act } from "../../components/act";
import { Listing } from "../../components/listing";
import { Success } from "../../components/status";
import { Time } from "../../components/time";
import { ApiError } from "../../http";
import { Foreign, Inbox, TITLES, useSourceNames } from "./inbox";

type Payload = Schemas["UnreadablePayloadView"];

/** What gateways sent that could not be read. */
export function Unreadable() {
  const name = useSourceNames();
  const [reads, setReads] = useState(0);
  return (
    <Inbox route="/unclaimed/payloads" what="payloads" lead="What gateways sent that could not be read as an SMS.">
      {(texts) => (
        <>
          {reads > 0 && (
            <Success>
              {reads === 1 ? "The payload was" : `${reads} payloads were`} read. What is in it went to whoever held the
              number when it came, else to unclaimed, waiting or incomplete SMS.
            </Success>
          )}
          <Listing<Payload>
            caption={TITLES["/unclaimed/payloads"]}
            deps={[texts, reads]}
            load={async (cursor, signal) => {
              const page = await api.get("/admin/unreadable", { query: { cursor, texts }, signal });
              return { rows: page.payloads, cursor: page.cursor };
            }}
            keyOf={(payload) => payload.payloadId}
            columns={[
              { title: "Received", cell: (payload) => <Time at={payload.storedAt} /> },
              { title: "Source", cell: (payload) => <bdi>{name(payload.sourceId)}</bdi> },
              { title: "Reason", cell: (payload) => <span class="foreign">{payload.reason}</span> },
              { title: "Payload", cell: (payload) => <Foreign text={payload.payload} /> },
              {
                title: "Try",
                cell: (payload) => <ReadAgain payload={payload} onRead={() => setReads((times) => times + 1)} />,
              },
            ]}
            empty="No unreadable payloads."
          />
        </>
      )}
    </Inbox>
  );
}

/** Has a payload read again, after what reads it was mended; says so when it still can't be. */
function ReadAgain({ payload: { payloadId }, onRead }: { payload: Payload; onRead: () => void }) {
  const [refusal, setRefusal] = useState<string | null>(null);
  const read = useAction(async () => {
    setRefusal(null);
    try {
      await api.post("/admin/unreadable/{payloadId}/replay", { path: { payloadId } });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 400) throw error;
      setRefusal(error.message);
      return;
    }
    onRead();
  });

  return (
    <>
      <Act
        deed="post /admin/unreadable/{payloadId}/replay"
        class="small"
        busy={read.busy}
        onClick={() => read.run()}
      >
        {read.busy ? "One moment…" : "Read again"}
      </Act>
      {refusal !== null && (
        <p role="alert">
          Still can't be read: <span class="foreign">{refusal}</span>
        </p>
      )}
      {read.error !== null && <p role="alert">{read.error}</p>}
    </>
  );
}
