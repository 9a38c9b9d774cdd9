import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { message } from "../api";
import { SignedOut } from "../session";
import { Announcer } from "./announce";
import { Failure } from "./status";

interface DialogProps {
  readonly title: string;
  /** Called when the operator closes it, by Escape too; without it, it can't be closed. */
  readonly onClose?: () => void;
  readonly children: ComponentChildren;
}

/** A window over the page, open for as long as it is there. The focus goes in, and back to where it came from. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();

  useLayoutEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);

  return (
    <dialog
      ref={element}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
    >
      <div class="dialog-head">
        <h2 id={heading}>{title}</h2>
        {onClose && (
          <button type="button" class="plain" onClick={onClose} aria-label="Close">
            ×
          </button>
        )}
      </div>
      {children}
      <Announcer />
    </dialog>
  );
}

interface ConfirmProps {
  readonly title: string;
  /** What will happen, and what can't be undone. */
  readonly children: ComponentChildren;
  /** The word on the button: what is done. */
  readonly action: string;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

/** A question before something that can't be undone. It stays open when that fails, and says why. */
export function Confirm({ title, children, action, onConfirm, onClose }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);

  const confirm = async () => {
    if (busy) return;
    setBusy(true);
    setFailed(null);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      if (error instanceof SignedOut) return;
      setFailed(message(error));
      setBusy(false);
    }
  };

  return (
    <Dialog title={title} onClose={onClose}>
      <div class="dialog-text">{children}</div>
      {failed !== null && <Failure text={failed} />}
      <div class="buttons">
        <button type="button" onClick={onClose} autofocus>
          Cancel
        </button>
        <button type="button" class="danger" aria-disabled={busy} onClick={() => void confirm()}>
          {busy ? "One moment…" : action}
        </button>
      </div>
    </Dialog>
  );
}
