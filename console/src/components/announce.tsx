import { Store, useStore } from "../store";

const said = new Store("");

/** Have a screen reader say something that the page shows without words, as "Copied". */
export function announce(text: string): void {
  // The same text twice has to be a change, or the second time says nothing.
  said.set("");
  setTimeout(() => said.set(text), 50);
}

/** The place where announcements are made; once in the page, and in each open dialog. */
export function Announcer() {
  return (
    <p role="status" class="unseen">
      {useStore(said)}
    </p>
  );
}
