import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { announce } from "./announce";
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
}

/** Shows a key or secret, which the API gives only once. */
export function SecretDialog({ title, label, value, onClose, onCopied = onClose, children }: SecretDialogProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <div class="secret">
        <p>
          <strong>{label}</strong> — shown only once. Copy it now: if it is lost, it can only be replaced.
        </p>
        <Copyable label={label} value={value} />
      </div>
      <div class="buttons">
        <button type="button" class="primary" onClick={onCopied}>
          I have copied it
        </button>
      </div>
    </Dialog>
  );
}

/** A text with a button that copies it. */
export function Copyable({ label, value }: { label: string; value: string }) {
  const [copied, setCopied] = useState(false);
  const text = useRef<HTMLElement>(null);

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value);
      setCopied(true);
      announce("Copied");
    } catch {
      // The browser forbids it: select the text, to be copied by hand.
      if (text.current) getSelection()?.selectAllChildren(text.current);
      announce("Selected. Copy it with the keyboard.");
    }
  };

  return (
    <span class="copyable">
      <code ref={text} class="url">{value}</code>
      <button type="button" onClick={() => void copy()} aria-label={`${copied ? "Copied" : "Copy"}: ${label}`}>
        {copied ? "Copied" : "Copy"}
      </button>
    </span>
  );
}
