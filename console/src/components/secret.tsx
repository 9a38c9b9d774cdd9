import type { ComponentChildren } from "preact";
import { Copyable } from "./copyable";
import { Dialog } from "./dialog";

interface SecretDialogProps {
  readonly title: string;
  /** What the secret is: "Key". */
  readonly label: string;
  readonly value: string;
  readonly onClose: () => void;
  /** Called instead of `onClose` when it was copied. */
  readonly onCopied?: () => void;
  /** What stands above the secret. */
  readonly children: ComponentChildren;
  /** What stands below it. */
  readonly below?: ComponentChildren;
}

/** Shows a key or secret, which the API gives only once. */
export function SecretDialog({ title, label, value, onClose, onCopied = onClose, children, below }: SecretDialogProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <div class="secret">
        <p>
          <strong>{label}</strong> — shown only once. Copy it now: if it is lost, it can only be replaced.
        </p>
        <Copyable label={label} value={value} />
      </div>
      {below}
      <div class="buttons">
        <button type="button" class="primary" onClick={onCopied}>
          I have copied it
        </button>
      </div>
    </Dialog>
  );
}
