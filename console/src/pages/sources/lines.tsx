import { useState } from "preact/hooks";
import { useAction } from "../../action";
import { api } from "../../api";
import { Act } from "../../components/act";
import { Badge } from "../../components/badge";
import { STATE_COLUMNS } from "../../components/line-state";
import { Listing } from "../../components/listing";
import { Marked } from "../../components/marked";
import { Failure, Success } from "../../components/status";
import { Time } from "../../components/time";
import { count, plural } from "../../figures";
import { type Line, everyLine, writeLines } from "../../lines";
import { hrefTo, placeNow } from "../../router";
import { save } from "../../save";
import { Devices } from "./devices";
import { ImportLines } from "./import-lines";
import { LineDialog } from "./line-dialog";

interface LinesProps {
  readonly sourceId: string;
  /** What its type calls a line, "" where it never does. */
  readonly called: string;
  /** They are read again when this changes. */
  readonly updatedAt: number | null;
}

/**
 * Which numbers of ours the lines of a source are, and what its devices say of them; the address may name a line to begin
 * with: `?line=SIM1`.
 */
export function Lines({ sourceId, called, updatedAt }: LinesProps) {
  const [asked, setAsked] = useState<string | null>(() => placeNow().query.get("line"));
  const [importing, setImporting] = useState(false);
  const [changes, setChanges] = useState(0);
  const [report, setReport] = useState<string | null>(null);
  const download = useAction(async () => save(writeLines(await everyLine(sourceId)), "lines.csv"));

  const close = () => {
    setAsked(null);
    setImporting(false);
    if (placeNow().query.has("line")) location.replace(hrefTo("sources", sourceId));
  };
  const onSaved = (lines: number, placed: number) => {
    setChanges(changes + 1);
    setReport(lines === 0 ? "No line was mapped." : `${plural(lines, "line")} mapped. ${placedInWords(placed)}`);
    close();
  };

  return (
    <section aria-labelledby="lines">
      <div class="head">
        <h2 id="lines">Lines</h2>
        <div class="buttons">
          <Act deed="patch /admin/sources/{sourceId}/lines" onClick={() => setAsked("")}>
            New line
          </Act>
          <Act deed="put /admin/sources/{sourceId}/lines" onClick={() => setImporting(true)}>
            Import CSV
          </Act>
          <button type="button" aria-disabled={download.busy} onClick={() => download.run()}>
            {download.busy ? "One moment…" : "Download CSV"}
          </button>
        </div>
      </div>
      <p class="lead">
        {called === "" ? (
          "Gateways of this type name the number itself, and no line."
        ) : (
          <>
            What the gateway calls its SIMs or devices, and which numbers these are. Here: <Marked text={called} />.
          </>
        )}
      </p>
      {report !== null && <Success>{report}</Success>}
      {download.error !== null && <Failure text={download.error} />}
      <Listing<Line>
        caption="Lines"
        deps={[sourceId, changes, updatedAt]}
        load={async (cursor, signal) => {
          const path = { sourceId };
          const page = await api.get("/admin/sources/{sourceId}/lines", { path, query: { cursor }, signal });
          return { rows: page.lines, cursor: page.cursor };
        }}
        keyOf={({ line }) => line}
        columns={[
          { title: "Line", cell: ({ line }) => <span class="foreign">{line}</span> },
          {
            title: "Number",
            cell: ({ phone }) =>
              phone === null ? <Badge tone="warn">Not mapped</Badge> : <a href={hrefTo("numbers", phone)}>{phone}</a>,
          },
          ...STATE_COLUMNS,
          { title: "First SMS unmapped", cell: ({ heardAt }) => (heardAt === null ? "–" : <Time at={heardAt} />) },
          {
            title: "Change",
            cell: ({ line, phone }) => (
              <Act
                deed="patch /admin/sources/{sourceId}/lines"
                class="small"
                aria-label={`${phone === null ? "Map" : "Change"} ${line}`}
                onClick={() => setAsked(line)}
              >
                {phone === null ? "Map" : "Change"}
              </Act>
            ),
          },
        ]}
        empty="No lines yet. One that sends an SMS appears here by itself."
      />
      <Devices sourceId={sourceId} deps={[changes, updatedAt]} onMap={setAsked} />
      {asked !== null && <LineDialog sourceId={sourceId} line={asked} onSaved={onSaved} onClose={close} />}
      {importing && <ImportLines sourceId={sourceId} onSaved={onSaved} onClose={close} />}
    </section>
  );
}

function placedInWords(placed: number): string {
  if (placed === 0) return "No SMS was waiting for them.";
  return `${count(placed)} waiting SMS went to whoever held the number.`;
}
