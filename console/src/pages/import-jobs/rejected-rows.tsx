import { useAction } from "../../action";
import { type Schemas, api } from "../../api";
import { Listing } from "../../components/listing";
import { Failure } from "../../components/status";
import { count, plural } from "../../figures";
import { type ImportJob, rejectedRows } from "../../import-jobs";
import { save } from "../../save";

/** The rows that an import rejected, with a download of them. */
export function RejectedRows({ job, file }: { job: ImportJob; file: File | undefined }) {
  const { importId } = job;
  const download = useAction(async () => {
    save(await rejectedRows(importId, file), `${job.fileName.replace(/\.csv$/i, "")} rejected.csv`);
  });

  return (
    <section aria-labelledby="rejected">
      <div class="head">
        <h2 id="rejected">{plural(job.rejected, "rejected row")}</h2>
        <div class="buttons">
          <button type="button" aria-disabled={download.busy} onClick={() => download.run()}>
            {download.busy ? "One moment…" : "Download as CSV"}
          </button>
        </div>
      </div>
      {download.error !== null && <Failure text={download.error} />}
      <p class="quiet">
        Rows are counted without the header and blank lines.{" "}
        {file ? "The download includes their cells." : "Their cells are in the file, which this tab does not have."}
      </p>
      <Listing<Schemas["RejectedRowView"]>
        caption="Rejected rows"
        deps={[importId, job.rejected]}
        load={async (cursor, signal) => {
          const page = await api.get("/admin/imports/{importId}/rejected", { path: { importId }, query: { cursor }, signal });
          return { rows: page.rejected, cursor: page.cursor };
        }}
        keyOf={(rejected) => rejected.row}
        columns={[
          { title: "Row", cell: (rejected) => count(rejected.row), number: true },
          { title: "Reason", cell: (rejected) => <span class="foreign">{rejected.reason}</span> },
        ]}
        empty="None."
      />
    </section>
  );
}
