import type { ComponentChildren } from "preact";
import { Badge } from "../../components/badge";
import { Copyable } from "../../components/copyable";
import { SecretDialog } from "../../components/secret";

interface EntryDialogProps {
  readonly title: string;
  /** A source's URL, and what its gateway is to be given: `address` holds the secret where there is no other place for it. */
  readonly made: {
    readonly url: string;
    readonly address: string;
    readonly secret: string;
    readonly warning: string | null;
  };
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
}

/** Shows what is to be entered at a gateway, once: its secret is in it. */
export function EntryDialog({ title, made, onClose, children }: EntryDialogProps) {
  const { url, address, secret, warning } = made;
  const isInAddress = address !== url;
  return (
    <SecretDialog
      title={title}
      label={isInAddress ? "Address" : "Secret"}
      value={isInAddress ? address : secret}
      onClose={onClose}
      below={children}
    >
      {isInAddress ? (
        <p>The URL to enter at the gateway, to the letter. The secret is in it: whoever knows it can send us SMS.</p>
      ) : (
        <>
          <p>
            <strong>URL</strong> — where the gateway sends its SMS.
          </p>
          <Copyable label="URL" value={address} />
        </>
      )}
      {warning !== null && (
        <p>
          <Badge tone="warn">Short</Badge> The secret has fewer than 16 characters and may be guessed.
        </p>
      )}
    </SecretDialog>
  );
}
