import { useRef, useState } from "preact/hooks";
import { announce } from "./announce";

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
