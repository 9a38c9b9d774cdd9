import type { ComponentChildren } from "preact";
import { type Deed, needs, useMissing } from "../role";

interface ActProps {
  /** What it does, or asks before doing. */
  readonly deed: Deed;
  readonly onClick: () => void;
  readonly children: ComponentChildren;
  readonly busy?: boolean;
  readonly class?: string | undefined;
  readonly title?: string;
  readonly "aria-label"?: string;
  readonly "aria-describedby"?: string;
}

/** A button for what a role may be needed for. To who has another it says so, and does nothing. */
export function Act({ deed, onClick, busy = false, title, ...rest }: ActProps) {
  const missing = useMissing(deed);
  return (
    <button
      type="button"
      {...rest}
      aria-disabled={busy || missing !== null}
      title={missing === null ? title : needs(missing)}
      onClick={() => {
        if (missing === null) onClick();
      }}
    />
  );
}
