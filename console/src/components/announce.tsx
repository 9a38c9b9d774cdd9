import { Store, useStore } from "../store";

const said = new Store("");

/** Have a screen reader say what the page shows without words, such as "Copied". */
export function announce(text: string): void {
  // A text is read out only when it changes.
  said.set("");
  setTimeout(() => said.set(text), 50);
}

/** Where announcements are made: one in the page, one in each open dialog. */
export function Announcer() {
  return (
    <p role="status" class="unseen">
      {useStore(said)}
    </p>
  );
}
