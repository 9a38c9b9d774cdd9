import { useEffect, useState } from "preact/hooks";
import { FieldErrors, Form, TextField } from "./form";
import { Copyable } from "./copyable";

const ISSUER = "GlobalConnect";
// What the standard asks for around a code (in its cells).
const QUIET_ZONE = 4;

interface CodeFormProps {
  readonly submit: string;
  readonly onCode: (code: string) => Promise<void>;
  readonly onCancel: () => void;
}

/** Asks for the code that an authenticator app shows. */
export function CodeForm({ submit, onCode, onCancel }: CodeFormProps) {
  const [typed, setTyped] = useState("");

  const send = async () => {
    const code = typed.replace(/\s/g, "");
    if (!/^\d{6}$/.test(code)) throw new FieldErrors({ code: "Enter the six digits that your app shows." });
    await onCode(code);
  };

  return (
    <Form submit={submit} onSubmit={send} onCancel={onCancel}>
      <TextField
        name="code"
        label="Code"
        hint="The six digits that your authenticator app shows for GlobalConnect."
        value={typed}
        onChange={setTyped}
        inputMode="numeric"
        autocomplete="one-time-code"
        required
      />
    </Form>
  );
}

interface SetUpProps extends CodeFormProps {
  readonly secret: string;
  /** The name that the app shows beside its codes. */
  readonly name: string;
}

/** Has a secret go into an authenticator app, and asks for the code that it shows then. */
export function SetUpAuthenticator({ secret, name, ...form }: SetUpProps) {
  return (
    <>
      <p>Scan this code with an authenticator app on your phone:</p>
      <QrCode text={urlOf(secret, name)} label="QR code with the key below, for an authenticator app" />
      <p>If you can't scan it, type this key into the app:</p>
      <p>
        <Copyable label="Key" value={inGroups(secret)} />
      </p>
      <CodeForm {...form} />
    </>
  );
}

/** A QR code, black on white in the dark too. What makes it is loaded when the first one is shown. */
function QrCode({ text, label }: { text: string; label: string }) {
  const [cells, setCells] = useState<boolean[][] | null>(null);

  useEffect(() => {
    let wanted = true;
    import("qr").then(
      ({ encodeQR }) => wanted && setCells(encodeQR(text, "raw", { ecc: "medium", border: QUIET_ZONE })),
      // The key stands below it.
      () => undefined,
    );
    return () => void (wanted = false);
  }, [text]);

  const size = cells?.length ?? 1;
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      {cells && <path d={outline(cells)} fill="#000" />}
    </svg>
  );
}

/** Return an SVG path of the dark cells, row by row. */
function outline(cells: readonly (readonly boolean[])[]): string {
  return cells
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")))
    .join("");
}

/** Return what authenticator apps read from a QR code. */
function urlOf(secret: string, name: string): string {
  const asked = `secret=${encodeURIComponent(secret)}&issuer=${ISSUER}`;
  return `otpauth://totp/${ISSUER}:${encodeURIComponent(name)}?${asked}`;
}

function inGroups(secret: string): string {
  return secret.match(/.{1,4}/g)?.join(" ") ?? secret;
}
