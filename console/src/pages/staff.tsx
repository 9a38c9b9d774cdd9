import { useState } from "preact/hooks";
import { type Schemas, api } from "../api";
import { Act } from "../components/act";
import { announce } from "../components/announce";
import { Badge } from "../components/badge";
import { Confirm, Dialog } from "../components/dialog";
import { CheckField, Form, SelectField, TextField } from "../components/form";
import { Head } from "../components/head";
import { Listing } from "../components/listing";
import { SecretDialog } from "../components/secret";
import { Time } from "../components/time";
import type { Deed, Role } from "../role";
import type { Page } from "./page";

type Member = Schemas["StaffMemberView"];
type Ask = "change" | "sign-out" | "reset" | "totp" | "remove";

export const staffPage: Page = { route: "/staff", title: "Staff", menu: "Staff", view: Staff };

const ROLES: readonly (readonly [Role, string])[] = [
  ["view", "View: look at everything but texts"],
  ["support", "Support: and texts, push again, pause, marks, overdue"],
  ["stock", "Stock: and numbers, imports, services, sources"],
  ["owner", "Owner: and partners, keys, secrets, staff"],
];

function Staff() {
  const [inviting, setInviting] = useState(false);
  const [asked, setAsked] = useState<{ member: Member; ask: Ask } | null>(null);
  const [changes, setChanges] = useState(0);
  const changed = (done: string) => {
    setChanges(changes + 1);
    announce(done);
  };
  const close = () => setAsked(null);

  return (
    <>
      <Head title="Staff">
        <Act deed="post /admin/staff" class="primary" onClick={() => setInviting(true)}>
          Invite
        </Act>
      </Head>
      <p class="lead">Who can sign in here, and what they may do. A change counts within a minute.</p>
      <Listing<Member>
        caption="Staff"
        deps={[changes]}
        load={async (_, signal) => {
          const page = await api.get("/admin/staff", { signal });
          return { rows: page.staff, cursor: null };
        }}
        keyOf={(member) => member.name}
        columns={[
          { title: "Email", cell: (member) => <bdi>{member.name}</bdi> },
          { title: "Role", cell: (member) => <Badge>{member.role}</Badge> },
          { title: "State", cell: (member) => (member.disabledAt ? <Badge tone="warn">Disabled</Badge> : <Badge tone="good">Active</Badge>) },
          { title: "Second factor", cell: (member) => (member.totpRequired ? "Required" : "Optional") },
          { title: "Invited", cell: (member) => <Time at={member.invitedAt} /> },
          { title: "Signed out", cell: (member) => (member.signedOutAt ? <Time at={member.signedOutAt} /> : "Never") },
          {
            title: "Change",
            cell: (member) => (
              <div class="buttons">
                {(["change", "sign-out", "reset", "totp", "remove"] as const).map((ask) => (
                  <Act
                    key={ask}
                    deed={DEEDS[ask]}
                    onClick={() => setAsked({ member, ask })}
                    aria-label={`${LABELS[ask]}: ${member.name}`}
                  >
                    {LABELS[ask]}
                  </Act>
                ))}
              </div>
            ),
          },
        ]}
        empty="Nobody yet."
      />
      {inviting && <InviteDialog onInvited={changed} onClose={() => setInviting(false)} />}
      {asked?.ask === "change" && <ChangeDialog member={asked.member} onChanged={changed} onClose={close} />}
      {asked?.ask === "reset" && <ResetDialog member={asked.member} onReset={changed} onClose={close} />}
      {asked?.ask === "sign-out" && (
        <Confirm
          title={`End all sessions of ${asked.member.name}?`}
          action="End sessions"
          onConfirm={async () => {
            await api.post("/admin/staff/{name}/sign-out", { path: { name: asked.member.name } });
            changed(`Sessions of ${asked.member.name} ended`);
          }}
          onClose={close}
        >
          <p>They have to sign in again, everywhere, within a minute.</p>
        </Confirm>
      )}
      {asked?.ask === "totp" && (
        <Confirm
          title={`Remove the second factor of ${asked.member.name}?`}
          action="Remove second factor"
          onConfirm={async () => {
            await api.delete("/admin/staff/{name}/totp", { path: { name: asked.member.name } });
            changed(`Second factor of ${asked.member.name} removed`);
          }}
          onClose={close}
        >
          <p>For who has lost it: their password alone signs them in until they set up another.</p>
        </Confirm>
      )}
      {asked?.ask === "remove" && (
        <Confirm
          title={`Remove ${asked.member.name}?`}
          action="Remove"
          onConfirm={async () => {
            await api.delete("/admin/staff/{name}", { path: { name: asked.member.name } });
            changed(`${asked.member.name} removed`);
          }}
          onClose={close}
        >
          <p>They lose their access within a minute, and their account. The audit log keeps what they did.</p>
        </Confirm>
      )}
    </>
  );
}

const LABELS: Readonly<Record<Ask, string>> = {
  change: "Change",
  "sign-out": "End sessions",
  reset: "Reset password",
  totp: "Remove TOTP",
  remove: "Remove",
};
const DEEDS: Readonly<Record<Ask, Deed>> = {
  change: "patch /admin/staff/{name}",
  "sign-out": "post /admin/staff/{name}/sign-out",
  reset: "post /admin/staff/{name}/reset-password",
  totp: "delete /admin/staff/{name}/totp",
  remove: "delete /admin/staff/{name}",
};

interface DialogProps {
  readonly member: Member;
  readonly onClose: () => void;
}

function InviteDialog({ onInvited, onClose }: { onInvited: (done: string) => void; onClose: () => void }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("view");
  const [delivery, setDelivery] = useState<"mail" | "screen">("mail");
  const [invited, setInvited] = useState<Schemas["InvitedView"] | null>(null);

  const send = async () => {
    const member = await api.post("/admin/staff", { body: { email: email.trim(), role, delivery } });
    onInvited(`${member.name} invited`);
    if (member.temporaryPassword === null) onClose();
    else setInvited(member);
  };

  if (invited?.temporaryPassword) return <PasswordDialog name={invited.name} password={invited.temporaryPassword} onClose={onClose} />;
  return (
    <Dialog title="Invite" onClose={onClose}>
      <Form submit="Invite" onSubmit={send} onCancel={onClose}>
        <TextField name="email" label="Email" type="email" value={email} onChange={setEmail} required />
        <SelectField name="role" label="Role" value={role} options={ROLES} onChange={setRole} />
        <SelectField
          name="delivery"
          label="Password for the first sign-in"
          value={delivery}
          options={[
            ["mail", "Sent by mail"],
            ["screen", "Shown here, once"],
          ]}
          onChange={setDelivery}
        />
      </Form>
    </Dialog>
  );
}

function ChangeDialog({ member, onChanged, onClose }: DialogProps & { readonly onChanged: (done: string) => void }) {
  const [role, setRole] = useState(member.role);
  const [disabled, setDisabled] = useState(member.disabledAt !== null);
  const [totpRequired, setTotpRequired] = useState(member.totpRequired);

  const send = async () => {
    await api.patch("/admin/staff/{name}", { path: { name: member.name }, body: { role, disabled, totpRequired } });
    onChanged(`${member.name} saved`);
    onClose();
  };

  return (
    <Dialog title={`Change ${member.name}`} onClose={onClose}>
      <Form submit="Save" onSubmit={send} onCancel={onClose}>
        <SelectField name="role" label="Role" value={role} options={ROLES} onChange={setRole} />
        <CheckField
          name="totpRequired"
          label="Second factor required"
          hint="Until they have set one up, they can do nothing else."
          checked={totpRequired}
          onChange={setTotpRequired}
        />
        <CheckField
          name="disabled"
          label="Disabled"
          hint="They can't sign in, and are signed out within a minute."
          checked={disabled}
          onChange={setDisabled}
        />
      </Form>
    </Dialog>
  );
}

function ResetDialog({ member, onReset, onClose }: DialogProps & { readonly onReset: (done: string) => void }) {
  const [password, setPassword] = useState<string | null>(null);
  if (password !== null) return <PasswordDialog name={member.name} password={password} onClose={onClose} />;
  return (
    <Dialog title={`Reset the password of ${member.name}?`} onClose={onClose}>
      <p>They are signed out everywhere, and sign in once with a password that you give them.</p>
      <Form
        submit="Reset password"
        onSubmit={async () => {
          const given = await api.post("/admin/staff/{name}/reset-password", { path: { name: member.name } });
          setPassword(given.temporaryPassword);
          onReset(`Password of ${member.name} reset`);
        }}
        onCancel={onClose}
      >
        {null}
      </Form>
    </Dialog>
  );
}

function PasswordDialog({ name, password, onClose }: { name: string; password: string; onClose: () => void }) {
  return (
    <SecretDialog title={`Password for ${name}`} label="One-time password" value={password} onClose={onClose}>
      <p>For one sign-in, at which they choose their own. It is good for seven days.</p>
    </SecretDialog>
  );
}
