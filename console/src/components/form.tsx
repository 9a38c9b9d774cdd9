import { type ComponentChildren, createContext } from "preact";
import { useContext, useEffect, useId, useRef, useState } from "preact/hooks";
import { message } from "../errors";
import { ApiError } from "../http";
import { type Deed, needs, useMissing } from "../role";
import { SignedOut } from "../session";
import { Failure } from "./status";

/** What is wrong with fields, by their names in the API. Thrown from `onSubmit`, it shows at the fields. */
export class FieldErrors extends Error {
  readonly fields: Readonly<Record<string, string>>;

  constructor(fields: Readonly<Record<string, string>>) {
    super("fields");
    this.fields = fields;
  }
}

interface State {
  readonly errors: Readonly<Record<string, string>>;
  readonly known: Set<string>;
}

const Context = createContext<State>({ errors: {}, known: new Set() });

interface FormProps {
  /** The button's label. */
  readonly submit: string;
  /** What it throws is shown, at the field that the API names if the form has it. */
  readonly onSubmit: () => Promise<void>;
  readonly onCancel?: () => void;
  readonly children: ComponentChildren;
  /** The form's name where no heading says it. */
  readonly label?: string;
  /** What sending it does, where a role may be needed that nobody asked for before. */
  readonly deed?: Deed | undefined;
}

/** A form that is sent once at a time, keeps what was typed, and shows what is wrong. */
export function Form({ submit, onSubmit, onCancel, children, label, deed }: FormProps) {
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const [failed, setFailed] = useState<string | null>(null);
  const known = useRef(new Set<string>());
  const element = useRef<HTMLFormElement>(null);
  const there = useRef(true);
  const missing = useMissing(deed);

  useEffect(() => () => void (there.current = false), []);
  useEffect(() => {
    const wrong = element.current?.querySelector<HTMLElement>("[aria-invalid=true]");
    wrong?.closest("details")?.setAttribute("open", "");
    wrong?.focus();
  }, [errors]);

  const send = async () => {
    if (busy || missing !== null) return;
    setBusy(true);
    setErrors({});
    setFailed(null);
    try {
      await onSubmit();
    } catch (error) {
      if (!there.current || error instanceof SignedOut) return;
      const named = error instanceof ApiError ? error.field : null;
      if (error instanceof FieldErrors) setErrors(error.fields);
      else if (named && known.current.has(named.name)) setErrors({ [named.name]: sentence(named.expected) });
      else setFailed(message(error));
    } finally {
      if (there.current) setBusy(false);
    }
  };

  return (
    <form
      ref={element}
      noValidate
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <Context.Provider value={{ errors, known: known.current }}>{children}</Context.Provider>
      {failed !== null && <Failure text={failed} />}
      <div class="buttons">
        {onCancel && (
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
        )}
        <button
          type="submit"
          class="primary"
          aria-disabled={busy || missing !== null}
          title={missing === null ? undefined : needs(missing)}
        >
          {busy ? "One moment…" : submit}
        </button>
      </div>
    </form>
  );
}

/** What a field gives its control: `<input {...control} />`. */
interface Control {
  readonly id: string;
  readonly name: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": boolean;
}

interface FieldProps {
  /** The field's name in the API. */
  readonly name: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly children: (control: Control) => ComponentChildren;
}

/** A label, a hint, a control and its error. */
export function Field({ name, label, hint, children }: FieldProps) {
  const { errors, known } = useContext(Context);
  const id = useId();
  const error = errors[name];
  useEffect(() => {
    known.add(name);
    return () => void known.delete(name);
  }, [known, name]);
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {children({ id, name, "aria-describedby": described || undefined, "aria-invalid": error !== undefined })}
      {error !== undefined && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

interface TextFieldProps {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: string;
  readonly type?: "text" | "password" | "url" | "search" | "email";
  readonly autocomplete?: string;
  readonly inputMode?: "text" | "numeric" | "tel";
  readonly required?: boolean;
  readonly readOnly?: boolean;
  readonly autofocus?: boolean;
  /** What is offered while typing. */
  readonly known?: readonly string[];
}

export function TextField({ name, label, hint, value, onChange, type = "text", known, ...rest }: TextFieldProps) {
  return (
    <Field name={name} label={label} hint={hint}>
      {(control) => (
        <>
          <input
            {...control}
            {...rest}
            type={type}
            value={value}
            autocomplete={rest.autocomplete ?? "off"}
            spellcheck={false}
            list={known && `${control.id}-known`}
            onInput={(event) => onChange(event.currentTarget.value)}
          />
          {known && (
            <datalist id={`${control.id}-known`}>
              {known.map((text) => (
                <option key={text} value={text} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}

type TextAreaFieldProps = Pick<TextFieldProps, "name" | "label" | "hint" | "value" | "onChange" | "required">;

/** A text of several lines. */
export function TextAreaField({ name, label, hint, value, onChange, required }: TextAreaFieldProps) {
  return (
    <Field name={name} label={label} hint={hint}>
      {(control) => (
        <textarea
          {...control}
          rows={6}
          value={value}
          required={required}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

interface SelectFieldProps<V extends string> {
  readonly name: string;
  readonly label: string;
  readonly value: V;
  readonly options: readonly (readonly [value: V, label: string])[];
  readonly onChange: (value: V) => void;
  readonly hint?: string;
}

export function SelectField<V extends string>({ name, label, hint, value, options, onChange }: SelectFieldProps<V>) {
  return (
    <Field name={name} label={label} hint={hint}>
      {(control) => (
        <select {...control} value={value} onChange={(event) => onChange(event.currentTarget.value as V)}>
          {options.map(([option, text]) => (
            <option key={option} value={option}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface CheckFieldProps {
  readonly name: string;
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly hint?: string;
}

export function CheckField({ name, label, hint, checked, onChange }: CheckFieldProps) {
  const id = useId();
  return (
    <div class="field check">
      <input
        id={id}
        name={name}
        type="checkbox"
        checked={checked}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

function sentence(expected: string): string {
  return `${expected.charAt(0).toUpperCase()}${expected.slice(1)}`;
}
