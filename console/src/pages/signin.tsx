import { useState } from "preact/hooks";
import { Dialog } from "../components/dialog";
import { FieldErrors, Form, TextField } from "../components/form";
import { useTitle } from "../layout";
import { type NewPasswordWanted, goOn, lacking, setNewPassword, signIn, signOut } from "../session";

const POLICY = "At least 12 characters, with a lower-case letter, an upper-case letter and a digit.";

/** Where everybody begins who is not signed in. */
export function SignIn() {
  const [wanted, setWanted] = useState<NewPasswordWanted | null>(null);
  useTitle("Sign in");
  return (
    <main class="sign-in">
      <h1>{wanted ? "Choose a password of your own" : "Sign in to GlobalConnect"}</h1>
      {wanted ? <NewPassword wanted={wanted} onBack={() => setWanted(null)} /> : <Password onWanted={setWanted} />}
    </main>
  );
}

function Password({ onWanted }: { onWanted: (wanted: NewPasswordWanted) => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");

  const send = async () => {
    const missing = { ...(name.trim() ? {} : { name: "Your name" }), ...(password ? {} : { password: "Your password" }) };
    if (Object.keys(missing).length) throw new FieldErrors(missing);
    const wanted = await signIn(name.trim(), password);
    if (wanted) onWanted(wanted);
  };

  return (
    <Form submit="Sign in" onSubmit={send}>
      <TextField name="name" label="Operator" value={name} onChange={setName} autocomplete="username" required />
      <TextField
        name="password"
        label="Password"
        type="password"
        value={password}
        onChange={setPassword}
        autocomplete="current-password"
        required
      />
    </Form>
  );
}

function NewPassword({ wanted, onBack }: { wanted: NewPasswordWanted; onBack: () => void }) {
  const [password, setPassword] = useState("");
  const [repeated, setRepeated] = useState("");

  const send = async () => {
    const missing = lacking(password);
    if (missing.length) throw new FieldErrors({ password: `It lacks ${missing.join(", ")}.` });
    if (password !== repeated) throw new FieldErrors({ repeated: "This is not the same password." });
    await setNewPassword(wanted, password);
  };

  return (
    <>
      <p>Your password was set for you and is good for this first time only.</p>
      <Form submit="Set the password and sign in" onSubmit={send} onCancel={onBack}>
        <TextField
          name="password"
          label="New password"
          hint={POLICY}
          type="password"
          value={password}
          onChange={setPassword}
          autocomplete="new-password"
          required
        />
        <TextField
          name="repeated"
          label="The same once more"
          type="password"
          value={repeated}
          onChange={setRepeated}
          autocomplete="new-password"
          required
        />
      </Form>
    </>
  );
}

/** Over the page that the operator was at: what they typed stays, and what they sent is sent when they are back. */
export function SignInAgain({ name }: { name: string }) {
  const [password, setPassword] = useState("");

  const send = async () => {
    if (!password) throw new FieldErrors({ password: "Your password" });
    const wanted = await signIn(name, password);
    if (wanted) throw new FieldErrors({ password: "Your password was set anew for you. Sign out, then sign in with it." });
    goOn();
  };

  return (
    <Dialog title="Your session has ended">
      <p>Sign in again to go on where you were. Nothing that you typed is lost.</p>
      <Form submit="Sign in" onSubmit={send}>
        <p>
          Operator: <strong>{name}</strong>
        </p>
        <TextField
          name="password"
          label="Password"
          type="password"
          value={password}
          onChange={setPassword}
          autocomplete="current-password"
          required
        />
      </Form>
      <p class="quiet">
        <button type="button" onClick={signOut}>
          Sign out instead
        </button>
      </p>
    </Dialog>
  );
}
