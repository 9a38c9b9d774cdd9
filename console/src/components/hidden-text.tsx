import { useState } from "preact/hooks";
import { message } from "../api";
import { SignedOut } from "../session";

interface HiddenTextProps {
  /** The text, null while it is hidden. */
  readonly text: string | null;
  /** What it is: "SMS text". */
  readonly label: string;
  /** Gets it from the API, which records who looked. */
  readonly onShow: () => Promise<void>;
}

/** A text that holds somebody else's code: hidden until the operator asks for it. */
export function HiddenText({ text, label, onShow }: HiddenTextProps) {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  if (text !== null) return <span class="foreign">{text}</span>;

  const show = async () => {
    if (busy) return;
    setBusy(true);
    setFailed(null);
    try {
      await onShow();
    } catch (error) {
      if (!(error instanceof SignedOut)) setFailed(message(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <span class="hidden-text">
      <button type="button" aria-disabled={busy} title="Who looked is recorded" onClick={() => void show()}>
        Show {label}
      </button>
      {failed !== null && <span role="alert">{failed}</span>}
    </span>
  );
}
