import { useRef, useState } from "preact/hooks";
import { announce } from "./announce";

/** A key or secret that is shown this once, and never again. */
export function Secret({ label, value }: { label: string; value: string }) {
  return (
    <div class="secret">
      <p>
        <strong>{label}</strong> — shown this once. Copy it now: it can't be read again, only replaced.
      </p>
      <Copyable label={label} value={value} />
    </div>
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
      // The browser does not allow it: the text is selected, to be copied by hand.
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
