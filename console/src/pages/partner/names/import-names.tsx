import { useState } from "preact/hooks";
import { Dialog } from "../../../components/dialog";
import { Field, FieldErrors, Form } from "../../../components/form";
import { message } from "../../../errors";
import { plural } from "../../../figures";
import { type NamesFile, readNames } from "../../../hub-names";

interface ImportNamesProps {
  readonly onRead: (file: NamesFile) => void;
  readonly onClose: () => void;
}

/** Reads names from a file, in place of those in the table; they are saved with it. */
export function ImportNames({ onRead, onClose }: ImportNamesProps) {
  const [chosen, setChosen] = useState<NamesFile | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);

  const take = async (file: File | undefined) => {
    setChosen(null);
    setWrong(null);
    if (!file) return;
    try {
      setChosen(await readNames(file));
    } catch (error) {
      setWrong(message(error));
    }
  };
  const use = async () => {
    if (!chosen) throw new FieldErrors({ file: wrong ?? "Choose a file." });
    onRead(chosen);
  };

  return (
    <Dialog title="Import names" onClose={onClose}>
      <p>The names of the file replace those in the table. Nothing is saved until you save the table.</p>
      <Form submit="Replace names" onSubmit={use} onCancel={onClose}>
        <Field
          name="file"
          label="CSV or JSON file"
          hint="Columns kind (country, operator or service), country, ours and theirs in any order, in UTF-8, at most 5,000 names; or JSON as it is downloaded here."
        >
          {(control) => (
            <input
              {...control}
              type="file"
              accept=".csv,.tsv,.txt,.json,text/csv,application/json,application/vnd.ms-excel"
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
        {chosen && <p role="status">{plural(chosen.entries.length, "name")}.</p>}
      </Form>
    </Dialog>
  );
}
