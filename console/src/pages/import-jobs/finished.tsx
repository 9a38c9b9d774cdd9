import { Success } from "../../components/status";
import { plural } from "../../figures";
import type { ImportJob, Upload } from "../../import-jobs";
import { hrefTo } from "../../router";
import { CountsList } from "./counts";
import { PoolsOfFile } from "./pools-of-file";
import { RejectedRows } from "./rejected-rows";
import { ImportButton } from "./start-buttons";

export function FinishedImport({ job, upload }: { job: ImportJob; upload: Upload | undefined }) {
  return (
    <>
      <section class="card" aria-label="Result">
        {job.dryRun ? (
          <p role="status">{plural(job.rows, "row")} read, nothing imported. An import would do this:</p>
        ) : (
          <Success>Done: {plural(job.rows, "row")} imported or rejected.</Success>
        )}
        <CountsList dryRun={job.dryRun} counts={job} />
        {job.dryRun && upload && <PoolsOfFile pools={upload.summary.pools} />}
        {job.dryRun && upload && <ImportButton chosen={upload} />}
        {job.dryRun && !upload && (
          <p class="quiet">
            To import it, choose the file again: <a href={hrefTo("imports")}>Imports</a>.
          </p>
        )}
      </section>
      {job.rejected > 0 && <RejectedRows job={job} file={upload?.file} />}
    </>
  );
}
