import { useAction } from "../../action";
import { Act } from "../../components/act";
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
        <Act deed="post /admin/imports" class="primary" busy={action.busy} onClick={() => action.run(true)}>
          Preview
        </Act>
        <Act deed="post /admin/imports" busy={action.busy} onClick={() => action.run(false)}>
          Import without preview
        </Act>
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
        <Act deed="post /admin/imports" class="primary" busy={action.busy} onClick={() => action.run(false)}>
          Import
        </Act>
        <a href={hrefTo("imports")}>Choose another file</a>
      </div>
    </>
  );
}

function useStart(chosen: NumbersFile) {
  return useAction(async (dryRun: boolean) => goTo("imports", await start(chosen, dryRun)));
}
