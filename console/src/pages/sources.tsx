import { useState } from "preact/hooks";
import { type Schemas, api } from "../api";
import { announce } from "../components/announce";
import { Badge } from "../components/badge";
import { Confirm, Dialog } from "../components/dialog";
import { Form, SelectField, TextField } from "../components/form";
import { Listing } from "../components/listing";
import { Copyable, Secret } from "../components/secret";
import { Time } from "../components/time";
import { Head } from "../layout";
import { hrefTo } from "../router";
import type { Page } from "./page";

type Source = Schemas["SourceView"];
type NewSource = Schemas["NewSource"];

const PROVIDERS: readonly (readonly [NewSource["provider"], string])[] = [["generic", "Generic (JSON, signed)"]];

export const sources: Page = { route: "/sources", title: "Sources", menu: "Sources", view: Sources };

function Sources() {
  const [adding, setAdding] = useState(false);
  const [renewing, setRenewing] = useState<Source | null>(null);
  const [removing, setRemoving] = useState<Source | null>(null);
  const [changes, setChanges] = useState(0);
  const changed = () => setChanges(changes + 1);

  return (
    <>
      <Head title="Sources">
        <button type="button" class="primary" onClick={() => setAdding(true)}>
          New source
        </button>
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
          { title: "Name", cell: (source) => <bdi>{source.name}</bdi> },
          { title: "Type", cell: (source) => source.provider },
          { title: "URL", cell: (source) => <Copyable label={`URL of ${source.name}`} value={source.url} /> },
          { title: "Last heard from", cell: heard },
          { title: "Last problems", cell: problems },
          {
            title: "Change",
            cell: (source) => (
              <div class="buttons">
                <button type="button" onClick={() => setRenewing(source)} aria-label={`New secret for ${source.name}`}>
                  New secret
                </button>
                <button type="button" onClick={() => setRemoving(source)} aria-label={`Remove ${source.name}`}>
                  Remove
                </button>
              </div>
            ),
          },
        ]}
        empty="There are no sources yet. Without one no SMS can arrive."
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
          <p>What it delivers is refused from then on. Its secret can't be had back.</p>
        </Confirm>
      )}
    </>
  );
}

function heard(source: Source) {
  return source.lastHeardAt ? <Time at={source.lastHeardAt} /> : <Badge>Never</Badge>;
}

function problems({ lastUnreadable, lastUntimed }: Source) {
  if (!lastUnreadable && !lastUntimed) return "None";
  return (
    <>
      {lastUnreadable && (
        <div>
          Unreadable <Time at={lastUnreadable.at} />: <span class="foreign">{lastUnreadable.reason}</span>{" "}
          <a href={hrefTo("unclaimed", "payloads")}>Look</a>
        </div>
      )}
      {lastUntimed && (
        <div>
          SMS without a time <Time at={lastUntimed.at} />: <span class="foreign">{lastUntimed.reason}</span>
        </div>
      )}
    </>
  );
}

function NewSourceDialog({ onAdded, onClose }: { onAdded: () => void; onClose: () => void }) {
  const [name, setName] = useState("");
  const [provider, setProvider] = useState<NewSource["provider"]>("generic");
  const [added, setAdded] = useState<Schemas["SourceWithSecret"] | null>(null);

  const send = async () => {
    setAdded(await api.post("/admin/sources", { body: { name: name.trim(), provider } }));
    onAdded();
  };

  if (added) {
    return (
      <Dialog title={`${added.name} is entered`} onClose={onClose}>
        <p>
          <strong>URL</strong> — where the gateway posts its SMS.
        </p>
        <Copyable label="URL" value={added.url} />
        <Secret label="Secret" value={added.secret} />
        <div class="buttons">
          <button type="button" class="primary" onClick={onClose}>
            I have copied it
          </button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title="New source" onClose={onClose}>
      <Form submit="Enter the source" onSubmit={send} onCancel={onClose}>
        <TextField name="name" label="Name" hint="For operators only." value={name} onChange={setName} required />
        <SelectField name="provider" label="Type" value={provider} options={PROVIDERS} onChange={setProvider} />
      </Form>
    </Dialog>
  );
}

function NewSecretDialog({ source, onClose }: { source: Source; onClose: () => void }) {
  const [secret, setSecret] = useState("");
  const [made, setMade] = useState<Schemas["SourceSecretView"] | null>(null);

  const send = async () => {
    const path = { sourceId: source.sourceId };
    setMade(await api.post("/admin/sources/{sourceId}/secret", { path, body: { secret: secret.trim() || null } }));
  };

  if (made) {
    return (
      <Dialog title={`${source.name} has a new secret`} onClose={onClose}>
        <p>The former one is good for another 24 hours.</p>
        {made.warning !== null && (
          <p>
            <Badge tone="warn">Short</Badge> It has less than 16 characters and may be guessed.
          </p>
        )}
        <Secret label="Secret" value={made.secret} />
        <div class="buttons">
          <button type="button" class="primary" onClick={onClose}>
            I have copied it
          </button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={`New secret for ${source.name}`} onClose={onClose}>
      <p>The gateway has 24 hours to change over: until then the one it has is good, too.</p>
      <Form submit="Replace the secret" onSubmit={send} onCancel={onClose}>
        <TextField
          name="secret"
          label="Secret"
          hint="Of 8 characters or more, if the provider has made it. Left empty, one is made."
          value={secret}
          onChange={setSecret}
        />
      </Form>
    </Dialog>
  );
}
