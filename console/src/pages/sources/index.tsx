import { useState } from "preact/hooks";
import { type Schemas, api } from "../../api";
import { Act } from "../../components/act";
import { announce } from "../../components/announce";
import { Copyable } from "../../components/copyable";
import { Confirm } from "../../components/dialog";
import { Head } from "../../components/head";
import { Listing } from "../../components/listing";
import { hrefTo } from "../../router";
import type { Page } from "../page";
import { Heard, LastSms, Problems } from "./health";
import { NewSecretDialog } from "./new-secret";
import { NewSourceDialog } from "./new-source";
import { SingleSource } from "./source";

type Source = Schemas["SourceView"];

export const sources: Page = { route: "/sources", title: "Sources", menu: "Sources", view: Sources };
export const source: Page = { route: "/sources/:sourceId", title: "Source", view: SingleSource };

function Sources() {
  const [adding, setAdding] = useState(false);
  const [renewing, setRenewing] = useState<Source | null>(null);
  const [removing, setRemoving] = useState<Source | null>(null);
  const [changes, setChanges] = useState(0);
  const changed = () => setChanges(changes + 1);

  return (
    <>
      <Head title="Sources">
        <Act deed="post /admin/sources" class="primary" onClick={() => setAdding(true)}>
          New source
        </Act>
      </Head>
      <p class="lead">The SMS gateways that deliver to us. Each posts to its own URL and signs with its own secret.</p>
      <Listing<Source>
        caption="Sources"
        deps={[changes]}
        load={async (cursor, signal) => {
          const page = await api.get("/admin/sources", { query: { cursor }, signal });
          return { rows: page.sources, cursor: page.cursor };
        }}
        keyOf={(source) => source.sourceId}
        columns={[
          {
            title: "Name",
            cell: (source) => (
              <a href={hrefTo("sources", source.sourceId)}>
                <bdi>{source.name}</bdi>
              </a>
            ),
          },
          { title: "Type", cell: (source) => source.provider },
          { title: "URL", cell: (source) => <Copyable label={`URL of ${source.name}`} value={source.url} /> },
          {
            title: "Last heard from",
            cell: (source) => (
              <>
                <Heard source={source} />
                <div>
                  Last SMS: <LastSms source={source} />
                </div>
              </>
            ),
          },
          { title: "Last problems", cell: (source) => <Problems source={source} /> },
          {
            title: "Change",
            cell: (source) => (
              <div class="buttons">
                <Act
                  deed="post /admin/sources/{sourceId}/secret"
                  onClick={() => setRenewing(source)}
                  aria-label={`New secret for ${source.name}`}
                >
                  New secret
                </Act>
                <Act
                  deed="delete /admin/sources/{sourceId}"
                  onClick={() => setRemoving(source)}
                  aria-label={`Remove ${source.name}`}
                >
                  Remove
                </Act>
              </div>
            ),
          },
        ]}
        empty="No sources yet. Without one, no SMS can arrive."
      />
      {adding && <NewSourceDialog onAdded={changed} onClose={() => setAdding(false)} />}
      {renewing && <NewSecretDialog source={renewing} onClose={() => setRenewing(null)} />}
      {removing && (
        <Confirm
          title={`Remove ${removing.name}?`}
          action="Remove"
          onConfirm={async () => {
            await api.delete("/admin/sources/{sourceId}", { path: { sourceId: removing.sourceId } });
            changed();
            announce(`Source ${removing.name} removed`);
          }}
          onClose={() => setRemoving(null)}
        >
          <p>
            Its deliveries are refused from now on. Its secret can't be recovered. SMS that wait for its lines become
            unclaimed.
          </p>
        </Confirm>
      )}
    </>
  );
}
