import { useAction } from "../../action";
import { Failure } from "../../components/status";
import { type NumbersFile, start } from "../../import-jobs";
import { goTo, hrefTo } from "../../router";
import { PoolsOfFile } from "./pools-of-file";

/** Starts an import of a file, as a preview or at once. */
export function StartButtons({ chosen }: { chosen: NumbersFile }) {
  const action = useStart(chosen);
  return (
    <>
      {action.error !== null && <Failure text={action.error} />}
      <PoolsOfFile pools={chosen.summary.pools} />
      <div class="buttons">
        <button type="button" class="primary" aria-disabled={action.busy} onClick={() => action.run(true)}>
          Preview
        </button>
        <button type="button" aria-disabled={action.busy} onClick={() => action.run(false)}>
          Import without preview
        </button>
      </div>
    </>
  );
}

/** Imports the file of a preview. */
export function ImportButton({ chosen }: { chosen: NumbersFile }) {
  const action = useStart(chosen);
  return (
    <>
      {action.error !== null && <Failure text={action.error} />}
      <div class="buttons">
        <button type="button" class="primary" aria-disabled={action.busy} onClick={() => action.run(false)}>
          Import
        </button>
        <a href={hrefTo("imports")}>Choose another file</a>
      </div>
    </>
  );
}

function useStart(chosen: NumbersFile) {
  return useAction(async (dryRun: boolean) => goTo("imports", await start(chosen, dryRun)));
}
