import { useState } from "preact/hooks";
import { Dialog } from "../../components/dialog";
import { FieldErrors, Form, TextField } from "../../components/form";
import { Loaded } from "../../components/status";
import { useData } from "../../data";
import { type Line, everyLine, replaceLines } from "../../lines";
import { NO_PHONE, digitsIn, isPhone } from "../../phones";

interface LineDialogProps {
  readonly sourceId: string;
  /** The line to be changed, "" for a new one. */
  readonly line: string;
  /** Called with how many lines are mapped and how many SMS were placed. */
  readonly onSaved: (lines: number, placed: number) => void;
  readonly onClose: () => void;
}

/** Says which number one line is. */
export function LineDialog({ sourceId, line, onSaved, onClose }: LineDialogProps) {
  const data = useData((signal) => everyLine(sourceId, signal), [sourceId]);
  return (
    <Dialog title={line === "" ? "New line" : `Line ${line}`} onClose={onClose}>
      <Loaded data={data}>
        {(lines) => <LineForm sourceId={sourceId} line={line} lines={lines} onSaved={onSaved} onClose={onClose} />}
      </Loaded>
    </Dialog>
  );
}

function LineForm({ sourceId, line, lines, onSaved, onClose }: LineDialogProps & { readonly lines: readonly Line[] }) {
  const isNew = line === "";
  const [name, setName] = useState(line);
  const [phone, setPhone] = useState(lines.find((one) => one.line === line)?.phone ?? "");

  const save = async () => {
    const named = isNew ? name.trim() : line;
    if (named === "") throw new FieldErrors({ line: "Enter what the gateway calls it." });
    const number = digitsIn(phone);
    if (number !== "" && !isPhone(number)) throw new FieldErrors({ phone: NO_PHONE });
    // Read again: the API takes all lines at once, and others may have changed some.
    const others = (await everyLine(sourceId)).filter((one) => one.line !== named && one.phone !== null);
    const taken = others.find((one) => one.phone === number);
    if (taken) throw new FieldErrors({ phone: `${number} is line ${taken.line} of this source.` });
    const mapped = others.map((one) => ({ line: one.line, phone: one.phone ?? "" }));
    const saved = await replaceLines(sourceId, number === "" ? mapped : [...mapped, { line: named, phone: number }]);
    onSaved(saved.lines, saved.placed);
  };

  return (
    <Form submit="Save" deed="put /admin/sources/{sourceId}/lines" onSubmit={save} onCancel={onClose}>
      <TextField
        name="line"
        label="Line"
        hint="As the gateway writes it, to the letter."
        value={name}
        onChange={setName}
        readOnly={!isNew}
        required
      />
      <TextField
        name="phone"
        label="Number"
        hint="Which of our numbers it is, country code first. Empty: none of ours."
        value={phone}
        onChange={setPhone}
        inputMode="tel"
      />
    </Form>
  );
}
