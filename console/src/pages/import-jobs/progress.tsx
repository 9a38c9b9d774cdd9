import { useState } from "preact/hooks";
import { api } from "../../api";
import { Act } from "../../components/act";
import { Confirm } from "../../components/dialog";
import { Failure } from "../../components/status";
import { count, plural } from "../../figures";
import { type ImportJob, type NumbersFile, type Upload, send, stop } from "../../import-jobs";
import { CountsList } from "./counts";
import { FileChoice } from "./file-choice";
import { RejectedRows } from "./rejected-rows";

interface UploadProgressProps {
  readonly job: ImportJob;
  readonly upload: Upload;
  readonly onEnded: () => void;
}

/** An import that this tab is sending. */
export function UploadProgress({ job, upload, onEnded }: UploadProgressProps) {
  const { importId } = job;
  const { counts, error, state } = upload;
  const { rows } = upload.summary;
  return (
    <>
      <section class="card" aria-label="Progress">
        <div class="progress">
          <label for="sent">
            {count(counts.rows)} of {plural(rows, "row")} sent
          </label>
          <progress id="sent" max={rows} value={counts.rows} />
        </div>
        <CountsList dryRun={job.dryRun} counts={counts} />
        {error !== null && <Failure text={error} />}
        <div class="buttons">
          {state === "sending" && (
            <button type="button" onClick={() => stop(importId)}>
              Stop
            </button>
          )}
          {state === "stopped" && (
            <Act
              deed="put /admin/imports/{importId}/parts/{part}"
              class="primary"
              onClick={() => void send(importId, upload)}
            >
              Resume
            </Act>
          )}
          {state !== "sending" && state !== "sent" && <EndButton job={job} onEnded={onEnded} />}
        </div>
        {state === "sending" && (
          <p class="quiet">You can use other pages meanwhile, but keep this tab open: it reads the file.</p>
        )}
      </section>
      {state === "failed" && <ResumeForm job={job} />}
    </>
  );
}

/** An import that this tab is not sending: it was interrupted, or is sent from elsewhere. */
export function InterruptedImport({ job, onEnded }: { job: ImportJob; onEnded: () => void }) {
  return (
    <>
      <section class="card" aria-label="So far">
        <p>
          {plural(job.rows, "row")} in {plural(job.parts, "part")} received so far. This tab is not sending it: choose the
          same file to resume. Nothing is imported twice.
        </p>
        <CountsList dryRun={job.dryRun} counts={job} />
        <div class="buttons">
          <EndButton job={job} onEnded={onEnded} />
        </div>
      </section>
      <ResumeForm job={job} />
      {job.rejected > 0 && <RejectedRows job={job} file={undefined} />}
    </>
  );
}

function ResumeForm({ job }: { job: ImportJob }) {
  const [chosen, setChosen] = useState<NumbersFile | null>(null);
  const isShorter = chosen !== null && chosen.summary.parts < job.parts;
  return (
    <section class="card" aria-label="Resume">
      <FileChoice label={`The file: ${job.fileName}`} onChosen={setChosen} />
      {isShorter && <Failure text="This is not the same file: it is shorter than what was received." />}
      {chosen && !isShorter && (
        <div class="buttons">
          <Act
            deed="put /admin/imports/{importId}/parts/{part}"
            class="primary"
            onClick={() => void send(job.importId, chosen)}
          >
            Resume
          </Act>
        </div>
      )}
    </section>
  );
}

function EndButton({ job, onEnded }: { job: ImportJob; onEnded: () => void }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Act deed="post /admin/imports/{importId}/finish" onClick={() => setAsking(true)}>
        End import
      </Act>
      {asking && (
        <Confirm
          title="End this import?"
          action="End import"
          onConfirm={async () => {
            await api.post("/admin/imports/{importId}/finish", { path: { importId: job.importId } });
            onEnded();
          }}
          onClose={() => setAsking(false)}
        >
          <p>It takes no more rows. {job.dryRun ? "A preview imports nothing." : "Rows already imported stay."}</p>
        </Confirm>
      )}
    </>
  );
}
