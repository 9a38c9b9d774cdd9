import { useState } from "preact/hooks";
import { type Schemas, api } from "../../api";
import { announce } from "../../components/announce";
import { Dialog } from "../../components/dialog";
import { Form, TextField } from "../../components/form";
import type { Provider } from "./provider";
import { SettingFields, type Settings, filled } from "./settings";

interface ChangeDialogProps {
  readonly source: Schemas["SourceView"];
  readonly provider: Provider | undefined;
  readonly onChanged: () => void;
  readonly onClose: () => void;
}

/** Changes a source's name and settings. */
export function ChangeDialog({ source, provider, onChanged, onClose }: ChangeDialogProps) {
  const [name, setName] = useState(source.name);
  const [settings, setSettings] = useState<Settings>(source.settings);

  const send = async () => {
    const body = { name: name.trim(), ...(provider ? { settings: filled(provider, settings) } : {}) };
    await api.patch("/admin/sources/{sourceId}", { path: { sourceId: source.sourceId }, body });
    onChanged();
    announce("Saved");
    onClose();
  };

  return (
    <Dialog title={`Change ${source.name}`} onClose={onClose}>
      <Form submit="Save" onSubmit={send} onCancel={onClose}>
        <TextField name="name" label="Name" hint="Visible to staff only." value={name} onChange={setName} required />
        {provider && <SettingFields provider={provider} settings={settings} onChange={setSettings} />}
      </Form>
    </Dialog>
  );
}
