import { useState } from "preact/hooks";
import { Dialog } from "../components/dialog";
import { FieldErrors, Form, TextField } from "../components/form";
import { useTitle } from "../components/head";
import { type NewPasswordChallenge, lacking, resume, setNewPassword, signIn, signOut } from "../session";

const POLICY = "At least 12 characters, with a lower-case letter, an upper-case letter and a digit.";

/** The page while nobody is signed in. */
export function SignIn() {
  const [challenge, setChallenge] = useState<NewPasswordChallenge | null>(null);
  useTitle("Sign in");
  return (
    <main class="sign-in">
      <h1>{challenge ? "Choose your own password" : "Sign in to GlobalConnect"}</h1>
      {challenge ? (
        <NewPassword challenge={challenge} onBack={() => setChallenge(null)} />
      ) : (
        <Password onChallenge={setChallenge} />
      )}
    </main>
  );
}

function Password({ onChallenge }: { onChallenge: (challenge: NewPasswordChallenge) => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");

  const send = async () => {
    const missing = {
      ...(!name.trim() && { name: "Enter your email." }),
      ...(!password && { password: "Enter your password." }),
    };
    if (Object.keys(missing).length) throw new FieldErrors(missing);
    const challenge = await signIn(name.trim(), password);
    if (challenge) onChallenge(challenge);
  };

  return (
    <Form submit="Sign in" onSubmit={send}>
      <TextField name="name" label="Email" value={name} onChange={setName} autocomplete="username" required />
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

function NewPassword({ challenge, onBack }: { challenge: NewPasswordChallenge; onBack: () => void }) {
  const [password, setPassword] = useState("");
  const [repeated, setRepeated] = useState("");

  const send = async () => {
    const missing = lacking(password);
    if (missing.length) throw new FieldErrors({ password: `Missing: ${missing.join(", ")}.` });
    if (password !== repeated) throw new FieldErrors({ repeated: "The passwords don't match." });
    await setNewPassword(challenge, password);
  };

  return (
    <>
      <p>Your temporary password works only once.</p>
      <Form submit="Set password and sign in" onSubmit={send} onCancel={onBack}>
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
          label="Repeat password"
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

/** Over the page: what was typed stays, and requests go on after signing in. */
export function SignInAgain({ name }: { name: string }) {
  const [password, setPassword] = useState("");

  const send = async () => {
    if (!password) throw new FieldErrors({ password: "Enter your password." });
    const challenge = await signIn(name, password);
    if (challenge) throw new FieldErrors({ password: "Your password was reset. Sign out, then sign in with the new one." });
    resume();
  };

  return (
    <Dialog title="Your session has ended">
      <p>Sign in again to continue. Nothing you typed is lost.</p>
      <Form submit="Sign in" onSubmit={send}>
        <p>
          Signed in as <strong>{name}</strong>
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
