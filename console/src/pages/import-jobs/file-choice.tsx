import { useRef, useState } from "preact/hooks";
import { Failure } from "../../components/status";
import { scan } from "../../csv";
import { message } from "../../errors";
import { plural } from "../../figures";
import type { NumbersFile } from "../../import-jobs";

interface FileChoiceProps {
  readonly label: string;
  readonly onChosen: (chosen: NumbersFile | null) => void;
}

/** Takes a file, by a button or by dropping it, and reads it to its end. */
export function FileChoice({ label, onChosen }: FileChoiceProps) {
  const [over, setOver] = useState(false);
  const { take, reading, error, chosen } = useFile(onChosen);

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
        take(event.dataTransfer?.files[0]);
      }}
    >
      <div class="field">
        <label for="file">{label}</label>
        <p class="hint" id="file-hint">
          Columns phone, country and operator in any order, in UTF-8, separated by commas, semicolons or tabs. Choose a
          file or drop it here.
        </p>
        <input
          id="file"
          type="file"
          accept=".csv,.tsv,.txt,text/csv,application/vnd.ms-excel"
          aria-describedby="file-hint"
          // So that the same file, corrected, can be chosen again.
          onClick={(event) => {
            event.currentTarget.value = "";
          }}
          onChange={(event) => take(event.currentTarget.files?.[0])}
        />
      </div>
      {reading && (
        <p class="quiet" role="status">
          Reading the file…
        </p>
      )}
      {error !== null && <Failure text={error} />}
      {chosen && (
        <p role="status">
          <strong class="foreign">{chosen.file.name}</strong> — {plural(chosen.summary.rows, "row")}, to be sent in{" "}
          {plural(chosen.summary.parts, "part")}.
        </p>
      )}
    </div>
  );
}

/** The file that was taken last, and how reading it goes. */
function useFile(onChosen: FileChoiceProps["onChosen"]) {
  const [reading, setReading] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const [chosen, setChosen] = useState<NumbersFile | null>(null);
  const latest = useRef<File | null>(null);

  const choose = (now: NumbersFile | null) => {
    setChosen(now);
    onChosen(now);
  };
  const read = async (file: File) => {
    latest.current = file;
    choose(null);
    setError(null);
    setReading(true);
    try {
      const summary = await scan(file);
      if (latest.current === file) choose({ file, summary });
    } catch (failure) {
      if (latest.current === file) setError(message(failure));
    } finally {
      if (latest.current === file) setReading(false);
    }
  };

  return { take: (file: File | undefined) => void (file && read(file)), reading, error, chosen };
}
