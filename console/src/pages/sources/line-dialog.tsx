import { useState } from "preact/hooks";
import { Dialog } from "../../components/dialog";
import { FieldErrors, Form, TextField } from "../../components/form";
import { Loaded } from "../../components/status";
import { useData } from "../../data";
import { type Line, changeLine, everyLine } from "../../lines";
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
    const saved = await changeLine(sourceId, named, number === "" ? null : number);
    onSaved(saved.lines, saved.placed);
  };

  return (
    <Form submit="Save" deed="patch /admin/sources/{sourceId}/lines" onSubmit={save} onCancel={onClose}>
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
