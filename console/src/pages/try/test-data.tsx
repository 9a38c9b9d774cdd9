import { useState } from "preact/hooks";
import { Act } from "../../components/act";
import { announce } from "../../components/announce";
import { Confirm } from "../../components/dialog";
import { hrefTo } from "../../router";
import { useStore } from "../../store";
import { NAME, removeAll, trial } from "./trial";

/** What was created for the trial, with a button that removes it. */
export function TestData() {
  const { partnerId, source } = useStore(trial);
  const [asking, setAsking] = useState(false);
  const [removed, setRemoved] = useState(false);
  if (partnerId === null && source === null) {
    return (
      <p class="test-data quiet" role="status">
        {removed && "The test data is removed."}
      </p>
    );
  }
  return (
    <div class="test-data card">
      <p>
        Created here: {partnerId !== null && <a href={hrefTo("partners", partnerId)}>the partner {NAME}</a>}
        {partnerId !== null && source !== null && " and "}
        {source !== null && <a href={hrefTo("sources")}>the source {NAME}</a>}. Only this page keeps the key, until you
        reload it.
      </p>
      <Act deed="delete /admin/partners/{partnerId}" onClick={() => setAsking(true)}>
        Remove test data
      </Act>
      {asking && (
        <Confirm
          title="Remove the test data?"
          action="Remove"
          onConfirm={async () => {
            await removeAll();
            setRemoved(true);
            announce("Removed");
          }}
          onClose={() => setAsking(false)}
        >
          <p>
            A number that is still held is returned, the partner {NAME} is revoked and its source removed. Activations
            stay.
          </p>
        </Confirm>
      )}
    </div>
  );
}
