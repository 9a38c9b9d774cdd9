import { Badge } from "../../components/badge";
import { type ImportJob, uploads } from "../../import-jobs";
import { useStore } from "../../store";

export function JobState({ job }: { job: ImportJob }) {
  const upload = useStore(uploads).get(job.importId);
  return (
    <span class="badges">
      {job.dryRun && <Badge>Preview</Badge>}
      {job.state === "finished" ? (
        <Badge tone="good">Finished</Badge>
      ) : upload?.state === "sending" ? (
        <Badge tone="warn">Sending</Badge>
      ) : (
        <Badge tone="warn">Open</Badge>
      )}
    </span>
  );
}
