import { FieldErrors, TextField } from "./form";

interface ReasonFieldProps {
  readonly hint: string;
  readonly value: string;
  readonly onChange: (reason: string) => void;
}

/** Why something is done, which has to be said. */
export function ReasonField(props: ReasonFieldProps) {
  return <TextField name="reason" label="Reason" required {...props} />;
}

/** Return the reason as the API takes it. Throws FieldErrors when there is none. */
export function reasonIn(typed: string): string {
  if (!typed.trim()) throw new FieldErrors({ reason: "Enter a reason." });
  return typed.trim();
}
