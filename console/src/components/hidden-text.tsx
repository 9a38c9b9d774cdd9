import { useAction } from "../action";
import { Act } from "./act";

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
      <Act deed="texts" busy={show.busy} title="Recorded in the audit log" onClick={() => show.run()}>
        Show {label}
      </Act>
      {show.error !== null && <span role="alert">{show.error}</span>}
    </span>
  );
}
