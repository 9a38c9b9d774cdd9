import { useState } from "preact/hooks";
import { api } from "../../api";
import { Head } from "../../components/head";
import { Listing } from "../../components/listing";
import { Time } from "../../components/time";
import { count } from "../../figures";
import type { ImportJob, NumbersFile } from "../../import-jobs";
import { hrefTo } from "../../router";
import type { Page } from "../page";
import { FileChoice } from "./file-choice";
import { REFRESH_EVERY, SingleImport } from "./job";
import { JobState } from "./job-state";
import { StartButtons } from "./start-buttons";

export const importJobs: Page = { route: "/imports", title: "Imports", menu: "Imports", view: ImportJobs };
export const importJob: Page = { route: "/imports/:importId", title: "Import", view: SingleImport };

function ImportJobs() {
  const [chosen, setChosen] = useState<NumbersFile | null>(null);
  return (
    <>
      <Head title="Imports" />
      <p class="lead">
        New numbers go on sale at once. A known number only changes its pool: its lease, history and withdrawal stay.
      </p>
      <section class="card" aria-labelledby="choose">
        <h2 id="choose">Import numbers</h2>
        <FileChoice label="CSV file" onChosen={setChosen} />
        {chosen && <StartButtons chosen={chosen} />}
      </section>
      <h2>Earlier imports</h2>
      <Listing<ImportJob>
        caption="Imports"
        load={async (cursor, signal) => {
          const page = await api.get("/admin/imports", { query: { cursor }, signal });
          return { rows: page.imports, cursor: page.cursor };
        }}
        every={REFRESH_EVERY}
        keyOf={(job) => job.importId}
        columns={[
          {
            title: "File",
            cell: (job) => (
              <a class="foreign" href={hrefTo("imports", job.importId)}>
                {job.fileName}
              </a>
            ),
          },
          { title: "State", cell: (job) => <JobState job={job} /> },
          { title: "Started", cell: (job) => <Time at={job.startedAt} /> },
          { title: "Rows", cell: (job) => count(job.rows), number: true },
          { title: "New", cell: (job) => count(job.imported), number: true },
          { title: "Moved", cell: (job) => count(job.updated - job.unchanged), number: true },
          { title: "Unchanged", cell: (job) => count(job.unchanged), number: true },
          { title: "Rejected", cell: (job) => count(job.rejected), number: true },
        ]}
        empty="No imports yet."
      />
    </>
  );
}
