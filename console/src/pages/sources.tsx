import { useState } from "preact/hooks";
import { type Schemas, api } from "../api";
import { Act } from "../components/act";
import { announce } from "../components/announce";
import { Badge } from "../components/badge";
import { Copyable } from "../components/copyable";
import { Confirm, Dialog } from "../components/dialog";
import { CheckField, Form, SelectField, TextField } from "../components/form";
import { Head } from "../components/head";
import { Listing } from "../components/listing";
import { SecretDialog } from "../components/secret";
import { Loaded } from "../components/status";
import { Time } from "../components/time";
import { useData } from "../data";
import { hrefTo } from "../router";
import type { Page } from "./page";

type Source = Schemas["SourceView"];
type NewSource = Schemas["NewSource"];
type Provider = Schemas["ProviderView"];
type Setting = Schemas["SettingView"];

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
          { title: "Name", cell: (source) => <bdi>{source.name}</bdi> },
          { title: "Type", cell: (source) => source.provider },
          { title: "URL", cell: (source) => <Copyable label={`URL of ${source.name}`} value={source.url} /> },
          { title: "Last heard from", cell: heard },
          { title: "Last problems", cell: problems },
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
          <p>Its deliveries are refused from now on. Its secret can't be recovered.</p>
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
          <a href={hrefTo("unclaimed", "payloads")}>View</a>
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
  const catalogue = useData(async (signal) => (await api.get("/admin/providers", { signal })).providers, []);
  const [added, setAdded] = useState<Schemas["SourceWithSecret"] | null>(null);

  const add = async (body: NewSource) => {
    setAdded(await api.post("/admin/sources", { body }));
    onAdded();
  };

  if (added) {
    return (
      <SecretDialog title={`${added.name} added`} label="Secret" value={added.secret} onClose={onClose}>
        <p>
          <strong>URL</strong> — where the gateway sends its SMS.
        </p>
        <Copyable label="URL" value={added.url} />
        {added.warning !== null && <ShortSecret />}
      </SecretDialog>
    );
  }
  return (
    <Dialog title="New source" onClose={onClose}>
      <Loaded data={catalogue}>
        {(providers) => <NewSourceForm providers={providers} onAdd={add} onClose={onClose} />}
      </Loaded>
    </Dialog>
  );
}

interface NewSourceFormProps {
  readonly providers: readonly Provider[];
  readonly onAdd: (source: NewSource) => Promise<void>;
  readonly onClose: () => void;
}

function NewSourceForm({ providers, onAdd, onClose }: NewSourceFormProps) {
  const [name, setName] = useState("");
  const [type, setType] = useState(providers[0]?.name ?? "");
  const [secret, setSecret] = useState("");
  const [settings, setSettings] = useState<Readonly<Record<string, string | boolean>>>({});
  const provider = providers.find((one) => one.name === type);
  const filled = (provider?.settings ?? []).flatMap(({ name }) => (settings[name] ? [[name, settings[name]]] : []));

  const send = () =>
    onAdd({
      name: name.trim(),
      provider: type as NewSource["provider"],
      secret: secret.trim() || null,
      settings: Object.fromEntries(filled) as NonNullable<NewSource["settings"]>,
    });

  return (
    <Form submit="Add source" onSubmit={send} onCancel={onClose}>
      <TextField name="name" label="Name" hint="Visible to staff only." value={name} onChange={setName} required />
      <SelectField
        name="provider"
        label="Type"
        value={type}
        options={providers.map(({ name, title }) => [name, title] as const)}
        onChange={setType}
      />
      <TextField
        name="secret"
        label="Secret"
        hint={`At least 8 characters. ${provider?.secret === "given" ? "The one that the provider made." : "Empty: one is generated."}`}
        value={secret}
        onChange={setSecret}
        required={provider?.secret === "given"}
      />
      {provider?.settings.map((setting) => (
        <SettingField
          key={`${type} ${setting.name}`}
          setting={setting}
          value={settings[setting.name]}
          onChange={(value) => setSettings({ ...settings, [setting.name]: value })}
        />
      ))}
    </Form>
  );
}

interface SettingFieldProps {
  readonly setting: Setting;
  readonly value: string | boolean | undefined;
  readonly onChange: (value: string | boolean) => void;
}

function SettingField({ setting: { name, type, required, description }, value, onChange }: SettingFieldProps) {
  const field = { name: `settings.${name}`, label: name, hint: `Expected: ${description}.` };
  return type === "flag" ? (
    <CheckField {...field} checked={value === true} onChange={onChange} />
  ) : (
    <TextField {...field} value={typeof value === "string" ? value : ""} onChange={onChange} required={required} />
  );
}

function ShortSecret() {
  return (
    <p>
      <Badge tone="warn">Short</Badge> It has fewer than 16 characters and may be guessed.
    </p>
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
      <SecretDialog title={`${source.name} has a new secret`} label="Secret" value={made.secret} onClose={onClose}>
        <p>The old one works for another 24 hours.</p>
        {made.warning !== null && <ShortSecret />}
      </SecretDialog>
    );
  }
  return (
    <Dialog title={`New secret for ${source.name}`} onClose={onClose}>
      <p>The gateway has 24 hours to switch: until then its old secret works too.</p>
      <Form submit="Replace secret" onSubmit={send} onCancel={onClose}>
        <TextField
          name="secret"
          label="Secret"
          hint="At least 8 characters, if the provider gave one. Empty: one is generated."
          value={secret}
          onChange={setSecret}
        />
      </Form>
    </Dialog>
  );
}
