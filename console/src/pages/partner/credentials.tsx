import { useState } from "preact/hooks";
import { type Schemas, api } from "../../api";
import { Act } from "../../components/act";
import { announce } from "../../components/announce";
import { Confirm, Dialog } from "../../components/dialog";
import { FieldErrors, Form, TextField } from "../../components/form";
import { SecretDialog } from "../../components/secret";
import { DeveloperLink } from "./developer-link";

type Partner = Schemas["PartnerView"];
type Question = "key" | "secret" | "unsign" | "revoke";

interface NewSecret {
  readonly label: string;
  readonly value: string;
  readonly note: string;
  readonly isKey?: boolean;
}

/** A partner's key and signing secret: rotated, made, removed, revoked. */
export function Credentials({ partner: known, onChanged }: { partner: Partner; onChanged: () => void }) {
  const [asked, setAsked] = useState<Question | null>(null);
  const [made, setMade] = useState<NewSecret | null>(null);
  const close = () => setAsked(null);
  // The question closes first, so that the focus returns to the button that asked it.
  const show = (secret: NewSecret) => {
    close();
    setMade(secret);
    onChanged();
  };

  return (
    <section class="card">
      <h2>Key and signature</h2>
      <p class="quiet">Keys and secrets can't be shown again. A lost one is replaced by a new one.</p>
      <div class="buttons">
        <Act deed="post /admin/partners/{partnerId}/rotate-key" onClick={() => setAsked("key")}>
          Rotate key
        </Act>
        <Act deed="post /admin/partners/{partnerId}/signing-secret" onClick={() => setAsked("secret")}>
          New signing secret
        </Act>
        {known.signed && (
          <Act deed="delete /admin/partners/{partnerId}/signing-secret" onClick={() => setAsked("unsign")}>
            Stop signing
          </Act>
        )}
        <Act deed="delete /admin/partners/{partnerId}" class="danger" onClick={() => setAsked("revoke")}>
          Revoke
        </Act>
      </div>
      {asked === "key" && <RotateKey partner={known} onMade={show} onClose={close} />}
      {asked === "secret" && <CreateSecret partner={known} onMade={show} onClose={close} />}
      {asked === "unsign" && <StopSigning partner={known} onDone={onChanged} onClose={close} />}
      {asked === "revoke" && <Revoke partner={known} onDone={onChanged} onClose={close} />}
      {made && (
        <SecretDialog
          title={`New ${made.label.toLowerCase()}`}
          label={made.label}
          value={made.value}
          onClose={() => setMade(null)}
          below={made.isKey && <DeveloperLink partnerId={known.partnerId} />}
        >
          <p>{made.note}</p>
        </SecretDialog>
      )}
    </section>
  );
}

interface MakingProps {
  readonly partner: Partner;
  readonly onMade: (secret: NewSecret) => void;
  readonly onClose: () => void;
}

function RotateKey({ partner: { partnerId }, onMade, onClose }: MakingProps) {
  const rotate = async () => {
    const { key } = await api.post("/admin/partners/{partnerId}/rotate-key", { path: { partnerId } });
    onMade({ label: "Key", value: key, note: "The old key stops working within a minute.", isKey: true });
  };
  return (
    <Confirm title="Rotate the key?" action="Rotate key" onConfirm={rotate} onClose={onClose}>
      <p>The partner gets a new key. The one it has stops working within a minute.</p>
    </Confirm>
  );
}

function CreateSecret({ partner: { partnerId, signed }, onMade, onClose }: MakingProps) {
  const create = async () => {
    const path = { partnerId };
    const { signingSecret } = await api.post("/admin/partners/{partnerId}/signing-secret", { path });
    const note = signed ? "The old one also signs for another 24 hours." : "Pushes are signed from now on.";
    onMade({ label: "Signing secret", value: signingSecret, note });
  };
  return (
    <Confirm title="Create a new signing secret?" action="Create secret" onConfirm={create} onClose={onClose}>
      <p>
        {signed
          ? "Pushes are signed with the new secret, and for 24 hours with the old one too."
          : "From then on every push is signed."}
      </p>
    </Confirm>
  );
}

interface RemovalProps {
  readonly partner: Partner;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

function StopSigning({ partner: { partnerId }, onDone, onClose }: RemovalProps) {
  const stop = async () => {
    await api.delete("/admin/partners/{partnerId}/signing-secret", { path: { partnerId } });
    announce("Pushes are no longer signed");
    onDone();
  };
  return (
    <Confirm title="Stop signing?" action="Stop signing" onConfirm={stop} onClose={onClose}>
      <p>Pushes are no longer signed, effective at once. A partner that checks signatures will refuse them.</p>
    </Confirm>
  );
}

function Revoke({ partner: known, onDone, onClose }: RemovalProps) {
  const [name, setName] = useState("");

  const revoke = async () => {
    if (name.trim() !== known.name) throw new FieldErrors({ confirmation: "This is not the partner's name." });
    await api.delete("/admin/partners/{partnerId}", { path: { partnerId: known.partnerId } });
    onClose();
    onDone();
    announce(`${known.name} is revoked`);
  };

  return (
    <Dialog title="Revoke this partner?" onClose={onClose}>
      <p>
        The key of <strong><bdi>{known.name}</bdi></strong> stops working within a minute, and nothing more is pushed to
        it. This can't be undone.
      </p>
      <div class="destructive">
        <Form submit="Revoke permanently" onSubmit={revoke} onCancel={onClose}>
          <TextField name="confirmation" label="Type the partner's name" value={name} onChange={setName} required />
        </Form>
      </div>
    </Dialog>
  );
}
