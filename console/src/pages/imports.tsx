import { useRef, useState } from "preact/hooks";
import { type Schemas, api, message } from "../api";
import { Badge } from "../components/badge";
import { Confirm } from "../components/dialog";
import { Listing, Rows } from "../components/listing";
import { Done, Failure, Loaded } from "../components/status";
import { Time } from "../components/time";
import { type PoolNamed, type Scanned, poolKey, scan } from "../csv";
import { useData, usePolling } from "../data";
import { count, plural } from "../figures";
import { type Chosen, type Counts, type Import, type Run, begin, refusedRows, runs, send, stop } from "../imports";
import { Head } from "../layout";
import { goTo, hrefTo } from "../router";
import { SignedOut } from "../session";
import { useStore } from "../store";
import type { Page } from "./page";

// How often an import is looked at that is not sent from here (s).
const LOOK_EVERY = 10;
// Of a file's pools so many are shown, those that there are not yet first.
const SHOWN_POOLS = 50;

export const imports: Page = { route: "/imports", title: "Imports", menu: "Imports", view: Imports };
export const oneImport: Page = { route: "/imports/:importId", title: "Import", view: OneImport };

function Imports() {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  return (
    <>
      <Head title="Imports" />
      <p class="lead">
        New numbers are for sale at once. A known number only changes its pool: its lease, history and withdrawal stay.
      </p>
      <section class="card" aria-labelledby="choose">
        <h2 id="choose">Import numbers</h2>
        <FileChoice label="CSV file" onChosen={setChosen} />
        {chosen && <Begin chosen={chosen} />}
      </section>
      <h2>Earlier imports</h2>
      <Listing<Import>
        caption="Imports"
        load={async (cursor, signal) => {
          const page = await api.get("/admin/imports", { query: { cursor }, signal });
          return { rows: page.imports, cursor: page.cursor };
        }}
        every={LOOK_EVERY}
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
          { title: "State", cell: (job) => <State job={job} /> },
          { title: "Begun", cell: (job) => <Time at={job.startedAt} /> },
          { title: "Rows", cell: (job) => count(job.rows), number: true },
          { title: "New", cell: (job) => count(job.imported), number: true },
          { title: "Moved", cell: (job) => count(job.updated - job.unchanged), number: true },
          { title: "Unchanged", cell: (job) => count(job.unchanged), number: true },
          { title: "Refused", cell: (job) => count(job.rejected), number: true },
        ]}
        empty="Nothing has been imported from here yet."
      />
    </>
  );
}

function State({ job }: { job: Import }) {
  const here = useStore(runs).get(job.importId);
  return (
    <span class="badges">
      {job.dryRun && <Badge>Preview</Badge>}
      {job.state === "finished" ? (
        <Badge tone="good">Finished</Badge>
      ) : here?.state === "sending" ? (
        <Badge tone="warn">Being sent</Badge>
      ) : (
        <Badge tone="warn">Open</Badge>
      )}
    </span>
  );
}

/** Choose a file, by a button or by dropping it; it is read to its end before anybody goes on with it. */
function FileChoice({ label, onChosen }: { label: string; onChosen: (chosen: Chosen | null) => void }) {
  const [over, setOver] = useState(false);
  const [reading, setReading] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const [read, setRead] = useState<{ name: string; scanned: Scanned } | null>(null);
  const latest = useRef<File | null>(null);

  const take = async (file: File | undefined) => {
    if (!file) return;
    latest.current = file;
    onChosen(null);
    setRead(null);
    setFailed(null);
    setReading(true);
    try {
      const scanned = await scan(file);
      if (latest.current !== file) return;
      setRead({ name: file.name, scanned });
      onChosen({ file, scanned });
    } catch (error) {
      if (latest.current === file) setFailed(error instanceof Error ? error.message : message(error));
    } finally {
      if (latest.current === file) setReading(false);
    }
  };

  return (
    <div
      class={over ? "drop over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void take(event.dataTransfer?.files[0]);
      }}
    >
      <div class="field">
        <label for="file">{label}</label>
        <p class="hint" id="file-hint">
          Columns phone, country and operator, in any order, in UTF-8, with commas, semicolons or tabs. Choose it, or drop
          it here.
        </p>
        <input
          id="file"
          type="file"
          accept=".csv,.tsv,.txt,text/csv,application/vnd.ms-excel"
          aria-describedby="file-hint"
          // So that the same file, mended, can be chosen again.
          onClick={(event) => {
            event.currentTarget.value = "";
          }}
          onChange={(event) => void take(event.currentTarget.files?.[0])}
        />
      </div>
      {reading && (
        <p class="quiet" role="status">
          Reading the file…
        </p>
      )}
      {failed !== null && <Failure text={failed} />}
      {read && (
        <p role="status">
          <strong class="foreign">{read.name}</strong> — {plural(read.scanned.rows, "row")}, to be sent in{" "}
          {plural(read.scanned.parts, "part")}.
        </p>
      )}
    </div>
  );
}

/** The pools that a file names, and which of them an import would open: one that is misspelled is among these. */
function PoolsOfFile({ pools }: { pools: readonly PoolNamed[] }) {
  const stored = useData(poolsThereAre, []);
  return (
    <Loaded data={stored}>
      {(known) => {
        const isNew = (pool: PoolNamed) => !known.has(poolKey(pool));
        const ordered = [...pools.filter(isNew), ...pools.filter((pool) => !isNew(pool))];
        const opened = pools.filter(isNew).length;
        return (
          <>
            <p>
              {opened === 0
                ? "All pools of the file exist already."
                : `${plural(opened, "pool")} of ${count(pools.length)} ${opened === 1 ? "does" : "do"} not exist yet.`}
            </p>
            <Rows<PoolNamed>
              caption="Pools of the file"
              rows={ordered.slice(0, SHOWN_POOLS)}
              keyOf={poolKey}
              columns={[
                { title: "Country", cell: ({ country }) => <span class="foreign">{country}</span> },
                { title: "Operator", cell: ({ operator }) => <span class="foreign">{operator}</span> },
                { title: "Pool", cell: (pool) => (isNew(pool) ? <Badge tone="warn">New pool</Badge> : "exists") },
                { title: "Rows", cell: ({ rows }) => count(rows), number: true },
              ]}
            />
            {ordered.length > SHOWN_POOLS && (
              <p class="quiet">And {plural(ordered.length - SHOWN_POOLS, "other pool")}.</p>
            )}
          </>
        );
      }}
    </Loaded>
  );
}

async function poolsThereAre(signal: AbortSignal): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await api.get("/admin/pools", { query: { cursor }, signal });
    for (const pool of page.pools) known.add(poolKey(pool));
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return known;
}

function Begin({ chosen }: { chosen: Chosen }) {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);

  const start = async (dryRun: boolean) => {
    if (busy) return;
    setBusy(true);
    setFailed(null);
    try {
      goTo("imports", await begin(chosen, dryRun));
    } catch (error) {
      if (!(error instanceof SignedOut)) setFailed(message(error));
      setBusy(false);
    }
  };

  return (
    <>
      {failed !== null && <Failure text={failed} />}
      <PoolsOfFile pools={chosen.scanned.pools} />
      <div class="buttons">
        <button type="button" class="primary" aria-disabled={busy} onClick={() => void start(true)}>
          Preview
        </button>
        <button type="button" aria-disabled={busy} onClick={() => void start(false)}>
          Import without a preview
        </button>
      </div>
    </>
  );
}

function OneImport({ params }: { params: Readonly<Record<string, string>> }) {
  const importId = params["importId"] ?? "";
  const run = useStore(runs).get(importId);
  const sent = run?.state === "sent";
  const [ended, setEnded] = useState(0);
  const [finished, setFinished] = useState(false);
  const data = usePolling<Import>(
    async (signal) => {
      const job = await api.get("/admin/imports/{importId}", { path: { importId }, signal });
      setFinished(job.state === "finished");
      return job;
    },
    // While it is sent from here its answers say more.
    finished || run?.state === "sending" ? null : LOOK_EVERY,
    [importId, sent, ended],
  );

  return (
    <Loaded data={data}>
      {(job) => (
        <>
          <Head title={job.dryRun ? "Preview of an import" : "Import"}>
            <a href={hrefTo("imports")}>All imports</a>
          </Head>
          <p class="lead">
            <strong class="foreign">{job.fileName}</strong> <State job={job} />, begun <Time at={job.startedAt} />
            {job.finishedAt !== null && (
              <>
                , finished <Time at={job.finishedAt} />
              </>
            )}
          </p>
          {job.state === "finished" ? (
            <Finished job={job} run={run} />
          ) : run ? (
            <Sending job={job} run={run} onEnded={() => setEnded(ended + 1)} />
          ) : (
            <BrokenOff job={job} onEnded={() => setEnded(ended + 1)} />
          )}
        </>
      )}
    </Loaded>
  );
}

/** An import that is sent from here. */
function Sending({ job, run, onEnded }: { job: Import; run: Run; onEnded: () => void }) {
  const { importId } = job;
  const { rows } = run.scanned;
  return (
    <>
      <section class="card" aria-label="Progress">
        <div class="progress">
          <label for="sent">
            {count(run.counts.rows)} of {plural(rows, "row")} sent
          </label>
          <progress id="sent" max={rows} value={run.counts.rows} />
        </div>
        <Figures dryRun={job.dryRun} counts={run.counts} />
        {run.error !== null && <Failure text={run.error} />}
        <div class="buttons">
          {run.state === "sending" && (
            <button type="button" onClick={() => stop(importId)}>
              Stop
            </button>
          )}
          {run.state === "stopped" && (
            <button type="button" class="primary" onClick={() => void send(importId, run)}>
              Go on
            </button>
          )}
          {run.state !== "sending" && run.state !== "sent" && <End job={job} onEnded={onEnded} />}
        </div>
        {run.state === "sending" && (
          <p class="quiet">You may look at other pages meanwhile. Keep this tab open: the file is read from here.</p>
        )}
      </section>
      {run.state === "refused" && <GoOnWithFile job={job} />}
    </>
  );
}

/** An import whose file is not at hand: it was broken off, or somebody else is sending it. */
function BrokenOff({ job, onEnded }: { job: Import; onEnded: () => void }) {
  return (
    <>
      <section class="card" aria-label="So far">
        <p>
          {plural(job.rows, "row")} in {plural(job.parts, "part")} were taken so far. Nobody sends it from this tab:{" "}
          choose the same file to go on. What was taken is not entered twice.
        </p>
        <Figures dryRun={job.dryRun} counts={job} />
        <div class="buttons">
          <End job={job} onEnded={onEnded} />
        </div>
      </section>
      <GoOnWithFile job={job} />
      {job.rejected > 0 && <Refused job={job} file={undefined} />}
    </>
  );
}

function GoOnWithFile({ job }: { job: Import }) {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const other = chosen !== null && chosen.scanned.parts < job.parts;
  return (
    <section class="card" aria-label="Go on">
      <FileChoice label={`The file: ${job.fileName}`} onChosen={setChosen} />
      {other && <Failure text="This is not the same file: it is shorter than what was taken." />}
      {chosen && !other && (
        <div class="buttons">
          <button type="button" class="primary" onClick={() => void send(job.importId, chosen)}>
            Go on
          </button>
        </div>
      )}
    </section>
  );
}

function End({ job, onEnded }: { job: Import; onEnded: () => void }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setAsking(true)}>
        End it here
      </button>
      {asking && (
        <Confirm
          title="End this import?"
          action="End it"
          onConfirm={async () => {
            await api.post("/admin/imports/{importId}/finish", { path: { importId: job.importId } });
            onEnded();
          }}
          onClose={() => setAsking(false)}
        >
          <p>It takes no more rows then. {job.dryRun ? "A preview enters nothing." : "What was taken stays."}</p>
        </Confirm>
      )}
    </>
  );
}

function Finished({ job, run }: { job: Import; run: Run | undefined }) {
  return (
    <>
      <section class="card" aria-label="What it did">
        {job.dryRun ? (
          <p role="status">
            {plural(job.rows, "row")} read; nothing has been entered. This is what an import would do:
          </p>
        ) : (
          <Done>{plural(job.rows, "row")} imported or refused; all are done.</Done>
        )}
        <Figures dryRun={job.dryRun} counts={job} />
        {job.dryRun && run && <PoolsOfFile pools={run.scanned.pools} />}
        {job.dryRun && run && <ImportNow run={run} />}
        {job.dryRun && !run && (
          <p class="quiet">
            To import it, choose the file again: <a href={hrefTo("imports")}>Imports</a>.
          </p>
        )}
      </section>
      {job.rejected > 0 && <Refused job={job} file={run?.file} />}
    </>
  );
}

function ImportNow({ run }: { run: Run }) {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);

  const start = async () => {
    if (busy) return;
    setBusy(true);
    setFailed(null);
    try {
      goTo("imports", await begin({ file: run.file, scanned: run.scanned }, false));
    } catch (error) {
      if (!(error instanceof SignedOut)) setFailed(message(error));
      setBusy(false);
    }
  };

  return (
    <>
      {failed !== null && <Failure text={failed} />}
      <div class="buttons">
        <button type="button" class="primary" aria-disabled={busy} onClick={() => void start()}>
          Import
        </button>
        <a href={hrefTo("imports")}>Choose another file</a>
      </div>
    </>
  );
}

function Figures({ dryRun, counts }: { dryRun: boolean; counts: Counts }) {
  const figures: [string, number][] = [
    [dryRun ? "Would be new" : "New", counts.imported],
    [dryRun ? "Would move" : "Moved to another pool", counts.updated - counts.unchanged],
    ["Unchanged", counts.unchanged],
    ["Refused", counts.rejected],
  ];
  return (
    <dl class="figures">
      {figures.map(([name, figure]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{count(figure)}</dd>
        </div>
      ))}
    </dl>
  );
}

function Refused({ job, file }: { job: Import; file: File | undefined }) {
  const { importId } = job;
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);

  const download = async () => {
    if (busy) return;
    setBusy(true);
    setFailed(null);
    try {
      save(await refusedRows(importId, file), `${job.fileName.replace(/\.csv$/i, "")} refused.csv`);
    } catch (error) {
      if (!(error instanceof SignedOut)) setFailed(error instanceof Error ? error.message : message(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <section aria-labelledby="refused">
      <div class="head">
        <h2 id="refused">{plural(job.rejected, "refused row")}</h2>
        <div class="buttons">
          <button type="button" aria-disabled={busy} onClick={() => void download()}>
            {busy ? "One moment…" : "Download as CSV"}
          </button>
        </div>
      </div>
      {failed !== null && <Failure text={failed} />}
      <p class="quiet">
        Rows are counted without the header and without empty lines.{" "}
        {file ? "The download holds their own cells too." : "Their own cells are in the file, which is not at hand here."}
      </p>
      <Listing<Schemas["RejectedRowView"]>
        caption="Refused rows"
        deps={[importId, job.rejected]}
        load={async (cursor, signal) => {
          const page = await api.get("/admin/imports/{importId}/rejected", { path: { importId }, query: { cursor }, signal });
          return { rows: page.rejected, cursor: page.cursor };
        }}
        keyOf={(refused) => refused.row}
        columns={[
          { title: "Row", cell: (refused) => count(refused.row), number: true },
          { title: "Reason", cell: (refused) => <span class="foreign">{refused.reason}</span> },
        ]}
        empty="None."
      />
    </section>
  );
}

function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
