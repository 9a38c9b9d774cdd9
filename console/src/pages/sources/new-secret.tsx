import { useState } from "preact/hooks";
import { type Schemas, api } from "../../api";
import { Dialog } from "../../components/dialog";
import { Form, TextField } from "../../components/form";
import { EntryDialog } from "./entry-dialog";

/** Replaces a source's secret, and shows what to enter at its gateway. */
export function NewSecretDialog({ source, onClose }: { source: Schemas["SourceView"]; onClose: () => void }) {
  const [secret, setSecret] = useState("");
  const [made, setMade] = useState<Schemas["SourceSecretView"] | null>(null);

  const send = async () => {
    const path = { sourceId: source.sourceId };
    setMade(await api.post("/admin/sources/{sourceId}/secret", { path, body: { secret: secret.trim() || null } }));
  };

  if (made) {
    return (
      <EntryDialog title={`${source.name} has a new secret`} made={{ ...made, url: source.url }} onClose={onClose}>
        <p>The old one works for another 24 hours.</p>
      </EntryDialog>
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
