import { useState } from "preact/hooks";
import { Dialog } from "../../components/dialog";
import { FieldErrors, Field, Form } from "../../components/form";
import { message } from "../../errors";
import { plural } from "../../figures";
import { type LinesFile, everyLine, readLines, replaceLines } from "../../lines";
import { useData } from "../../data";

interface ImportLinesProps {
  readonly sourceId: string;
  /** Called with how many lines are mapped and how many SMS were placed. */
  readonly onSaved: (lines: number, placed: number) => void;
  readonly onClose: () => void;
}

/** Replaces a source's lines by those of a file. */
export function ImportLines({ sourceId, onSaved, onClose }: ImportLinesProps) {
  const [chosen, setChosen] = useState<LinesFile | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);

  const take = async (file: File | undefined) => {
    setChosen(null);
    setWrong(null);
    if (!file) return;
    try {
      setChosen(await readLines(file));
    } catch (error) {
      setWrong(message(error));
    }
  };
  const send = async () => {
    if (!chosen) throw new FieldErrors({ file: wrong ?? "Choose a file." });
    const saved = await replaceLines(sourceId, chosen.lines);
    onSaved(saved.lines, saved.placed);
  };

  return (
    <Dialog title="Import lines" onClose={onClose}>
      <p>The file replaces all lines of this source: those that are not in it are no numbers of ours afterwards.</p>
      <Form submit="Replace lines" onSubmit={send} onCancel={onClose}>
        <Field
          name="file"
          label="CSV file"
          hint="Columns line and phone in any order, in UTF-8, at most 5,000 rows. Rows without a phone are left out."
        >
          {(control) => (
            <input
              {...control}
              type="file"
              accept=".csv,.tsv,.txt,text/csv,application/vnd.ms-excel"
              // So that the same file, corrected, can be chosen again.
              onClick={(event) => {
                event.currentTarget.value = "";
              }}
              onChange={(event) => void take(event.currentTarget.files?.[0])}
            />
          )}
        </Field>
        {wrong !== null && (
          <p class="field-error" role="alert">
            {wrong}
          </p>
        )}
        {chosen && <Preview sourceId={sourceId} chosen={chosen} />}
      </Form>
    </Dialog>
  );
}

/** What the file would do. */
function Preview({ sourceId, chosen: { lines, unmapped } }: { sourceId: string; chosen: LinesFile }) {
  const before = useData((signal) => everyLine(sourceId, signal), [sourceId]);
  const kept = new Set(lines.map(({ line }) => line));
  const lost = (before.value ?? []).filter(({ line, phone }) => phone !== null && !kept.has(line));
  return (
    <div role="status">
      <ul>
        <li>{plural(lines.length, "line")} with a number.</li>
        {unmapped > 0 && <li>{plural(unmapped, "row")} without one, left out.</li>}
        {lost.length > 0 && (
          <li>
            <strong>{plural(lost.length, "line")}</strong> mapped now and not in the file.
          </li>
        )}
      </ul>
    </div>
  );
}
