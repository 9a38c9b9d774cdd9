import { useState } from "preact/hooks";
import { api } from "../../api";
import { Head } from "../../components/head";
import { Loaded } from "../../components/status";
import { Time } from "../../components/time";
import { usePolling } from "../../data";
import { type ImportJob, uploads } from "../../import-jobs";
import { hrefTo } from "../../router";
import { useStore } from "../../store";
import { FinishedImport } from "./finished";
import { JobState } from "./job-state";
import { InterruptedImport, UploadProgress } from "./progress";

// How often an import that this tab is not sending is read again (s).
export const REFRESH_EVERY = 10;

/** The page of one import. */
export function SingleImport({ params }: { params: Readonly<Record<string, string>> }) {
  const importId = params["importId"] ?? "";
  const upload = useStore(uploads).get(importId);
  const sent = upload?.state === "sent";
  const [changes, setChanges] = useState(0);
  const [finished, setFinished] = useState(false);
  const data = usePolling<ImportJob>(
    async (signal) => {
      const job = await api.get("/admin/imports/{importId}", { path: { importId }, signal });
      setFinished(job.state === "finished");
      return job;
    },
    // While this tab sends it, the answers to its parts say more.
    finished || upload?.state === "sending" ? null : REFRESH_EVERY,
    [importId, sent, changes],
  );
  const onEnded = () => setChanges(changes + 1);

  return (
    <Loaded data={data}>
      {(job) => (
        <>
          <Head title={job.dryRun ? "Import preview" : "Import"}>
            <a href={hrefTo("imports")}>All imports</a>
          </Head>
          <p class="lead">
            <strong class="foreign">{job.fileName}</strong> <JobState job={job} />, started <Time at={job.startedAt} />
            {job.finishedAt !== null && (
              <>
                , finished <Time at={job.finishedAt} />
              </>
            )}
          </p>
          {job.state === "finished" ? (
            <FinishedImport job={job} upload={upload} />
          ) : upload ? (
            <UploadProgress job={job} upload={upload} onEnded={onEnded} />
          ) : (
            <InterruptedImport job={job} onEnded={onEnded} />
          )}
        </>
      )}
    </Loaded>
  );
}
