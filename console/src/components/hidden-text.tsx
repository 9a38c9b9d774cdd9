import { useAction } from "../action";

interface HiddenTextProps {
  /** The text, null while it is hidden. */
  readonly text: string | null;
  /** What it is: "SMS text". */
  readonly label: string;
  /** Reads it from the API, which records the view. */
  readonly onShow: () => Promise<void>;
}

/** A text that may hold somebody else's code: hidden until it is asked for. */
export function HiddenText({ text, label, onShow }: HiddenTextProps) {
  const show = useAction(onShow);
  if (text !== null) return <span class="foreign">{text}</span>;
  return (
    <span class="hidden-text">
      <button type="button" aria-disabled={show.busy} title="Recorded in the audit log" onClick={() => show.run()}>
        Show {label}
      </button>
      {show.error !== null && <span role="alert">{show.error}</span>}
    </span>
  );
}
