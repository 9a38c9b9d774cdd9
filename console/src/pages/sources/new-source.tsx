import { useState } from "preact/hooks";
import { type Schemas, api } from "../../api";
import { Dialog } from "../../components/dialog";
import { Form, SelectField, TextField } from "../../components/form";
import { Loaded } from "../../components/status";
import { useData } from "../../data";
import { hrefTo } from "../../router";
import { EntryDialog } from "./entry-dialog";
import { type Provider, ProviderFacts, Steps } from "./provider";
import { SettingFields, type Settings, filled } from "./settings";

type NewSource = Schemas["NewSource"];

interface Added {
  readonly source: Schemas["SourceWithSecret"];
  readonly provider: Provider;
}

/** Enters a source, and shows what to enter at its gateway. */
export function NewSourceDialog({ onAdded, onClose }: { onAdded: () => void; onClose: () => void }) {
  const catalogue = useData(async (signal) => (await api.get("/admin/providers", { signal })).providers, []);
  const [added, setAdded] = useState<Added | null>(null);

  const add = async (provider: Provider, body: NewSource) => {
    setAdded({ source: await api.post("/admin/sources", { body }), provider });
    onAdded();
  };

  if (added) {
    const { source, provider } = added;
    return (
      <EntryDialog title={`${source.name} added`} made={source} onClose={onClose}>
        <Steps provider={provider} />
        <p>
          <a href={hrefTo("sources", source.sourceId)}>Lines and a test</a> are on the source's own page.
        </p>
      </EntryDialog>
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
  readonly onAdd: (provider: Provider, source: NewSource) => Promise<void>;
  readonly onClose: () => void;
}

function NewSourceForm({ providers, onAdd, onClose }: NewSourceFormProps) {
  const [name, setName] = useState("");
  const [type, setType] = useState(providers[0]?.name ?? "");
  const [secret, setSecret] = useState("");
  const [settings, setSettings] = useState<Settings>({});
  const provider = providers.find((one) => one.name === type);
  if (!provider) return null;
  const isGiven = provider.secret === "given";

  const send = () =>
    onAdd(provider, {
      name: name.trim(),
      provider: type as NewSource["provider"],
      secret: secret.trim() || null,
      settings: filled(provider, settings),
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
      <ProviderFacts provider={provider} />
      <TextField
        name="secret"
        label="Secret"
        hint={`At least 8 characters. ${isGiven ? "The one that the provider made." : "Empty: one is generated."}`}
        value={secret}
        onChange={setSecret}
        required={isGiven}
      />
      <SettingFields provider={provider} settings={settings} onChange={setSettings} />
    </Form>
  );
}
