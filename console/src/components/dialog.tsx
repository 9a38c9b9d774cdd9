import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { useAction } from "../action";
import { Announcer } from "./announce";
import { Failure } from "./status";

interface DialogProps {
  readonly title: string;
  /** Called when it is closed, by Escape too; without it, it can't be closed. */
  readonly onClose?: () => void;
  readonly children: ComponentChildren;
}

/** A window over the page, open while it is rendered. It takes the focus, and returns it to where it was. */
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
        // A file field's own, when no file was chosen, comes by here.
        if (event.target !== event.currentTarget) return;
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
  /** What happens, and what can't be undone. */
  readonly children: ComponentChildren;
  /** The button's label. */
  readonly action: string;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

/** Asks before something that can't be undone. It stays open when that fails, and says why. */
export function Confirm({ title, children, action, onConfirm, onClose }: ConfirmProps) {
  const confirm = useAction(async () => {
    await onConfirm();
    onClose();
  });

  return (
    <Dialog title={title} onClose={onClose}>
      <div>{children}</div>
      {confirm.error !== null && <Failure text={confirm.error} />}
      <div class="buttons">
        <button type="button" onClick={onClose} autofocus>
          Cancel
        </button>
        <button type="button" class="danger" aria-disabled={confirm.busy} onClick={() => confirm.run()}>
          {confirm.busy ? "One moment…" : action}
        </button>
      </div>
    </Dialog>
  );
}
