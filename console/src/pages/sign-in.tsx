import { useEffect, useRef, useState } from "preact/hooks";
import { type Challenge, lacking } from "../challenges";
import { SignInError } from "../cognito";
import { CodeForm, SetUpAuthenticator } from "../components/authenticator";
import { Dialog } from "../components/dialog";
import { FieldErrors, Form, TextField } from "../components/form";
import { useTitle } from "../components/head";
import { Failure } from "../components/status";
import { goOn, signIn, signOut } from "../session";

const POLICY = "At least 12 characters, with a lower-case letter, an upper-case letter and a digit.";

const TITLES: Readonly<Record<Challenge["kind"], string>> = {
  password: "Choose your own password",
  code: "Enter your code",
  setup: "Set up your second factor",
};

/** The page while nobody is signed in. */
export function SignIn() {
  const [challenge, setChallenge] = useState<Challenge | null>(null);
  useTitle("Sign in");
  return (
    <main class="sign-in">
      <h1>{challenge ? TITLES[challenge.kind] : "Sign in to GlobalConnect"}</h1>
      <Steps challenge={challenge} onChallenge={setChallenge} />
    </main>
  );
}

/** Over the page: what was typed stays, and requests go on after signing in. */
export function SignInAgain({ name }: { name: string }) {
  const [challenge, setChallenge] = useState<Challenge | null>(null);
  return (
    <Dialog title={challenge ? TITLES[challenge.kind] : "Your session has ended"}>
      <p>Sign in again to continue. Nothing you typed is lost.</p>
      <Steps name={name} challenge={challenge} onChallenge={setChallenge} />
      <p class="quiet">
        <button type="button" onClick={signOut}>
          Sign out instead
        </button>
      </p>
    </Dialog>
  );
}

interface StepsProps {
  /** Whose password is asked for; absent: anybody's. */
  readonly name?: string;
  /** What Cognito asks for; null: nothing yet. */
  readonly challenge: Challenge | null;
  readonly onChallenge: (challenge: Challenge | null) => void;
}

/** The form for what is asked for next: the password, then whatever challenges Cognito has. */
function Steps({ name: known, challenge, onChallenge }: StepsProps) {
  const [name, setName] = useState(known ?? "");
  const [ended, setEnded] = useState<string | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const kind = useRef(challenge?.kind);

  useEffect(() => {
    // At first the page or dialog says where the focus is.
    if (kind.current !== challenge?.kind) place.current?.querySelector("input")?.focus();
    kind.current = challenge?.kind;
  }, [challenge?.kind]);

  const start = async (password: string) => {
    setEnded(null);
    onChallenge(await signIn(name.trim(), password));
  };
  const answer = async (text: string) => {
    if (!challenge) return;
    try {
      onChallenge(await goOn(challenge, text));
    } catch (error) {
      if (!(error instanceof SignInError && error.kind === "session")) throw error;
      setEnded(error.message);
      onChallenge(null);
    }
  };
  const back = () => onChallenge(null);

  return (
    <div ref={place}>
      {ended !== null && !challenge && <Failure text={ended} />}
      {!challenge && <Password name={name} known={known !== undefined} onName={setName} onPassword={start} />}
      {challenge?.kind === "password" && <NewPassword onPassword={answer} onBack={back} />}
      {challenge?.kind === "code" && (
        <>
          <CodeForm submit="Sign in" onCode={answer} onCancel={back} />
          <p class="quiet">Without your phone, ask whoever manages accounts to reset your second factor.</p>
        </>
      )}
      {challenge?.kind === "setup" && (
        <SetUpAuthenticator
          secret={challenge.secret}
          name={challenge.name}
          submit="Turn on and sign in"
          onCode={answer}
          onCancel={back}
        />
      )}
    </div>
  );
}

interface PasswordProps {
  readonly name: string;
  /** Whether only this name can be used. */
  readonly known: boolean;
  readonly onName: (name: string) => void;
  readonly onPassword: (password: string) => Promise<void>;
}

function Password({ name, known, onName, onPassword }: PasswordProps) {
  const [password, setPassword] = useState("");

  const send = async () => {
    const missing = {
      ...(!name.trim() && { name: "Enter your email." }),
      ...(!password && { password: "Enter your password." }),
    };
    if (Object.keys(missing).length) throw new FieldErrors(missing);
    await onPassword(password);
  };

  return (
    <Form submit="Sign in" onSubmit={send}>
      {known ? (
        <p>
          Signed in as <strong>{name}</strong>
        </p>
      ) : (
        <TextField name="name" label="Email" value={name} onChange={onName} autocomplete="username" required />
      )}
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

interface NewPasswordProps {
  readonly onPassword: (password: string) => Promise<void>;
  readonly onBack: () => void;
}

function NewPassword({ onPassword, onBack }: NewPasswordProps) {
  const [password, setPassword] = useState("");
  const [repeated, setRepeated] = useState("");

  const send = async () => {
    const missing = lacking(password);
    if (missing.length) throw new FieldErrors({ password: `Missing: ${missing.join(", ")}.` });
    if (password !== repeated) throw new FieldErrors({ repeated: "The passwords don't match." });
    await onPassword(password);
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
