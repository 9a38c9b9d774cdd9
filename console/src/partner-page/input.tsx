interface InputProps {
  /** Given, not made by useId: that repeats itself in the parts of the page, which are rendered each by itself. */
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: string;
  readonly type?: "text" | "password";
  /** What is offered while typing. */
  readonly known?: readonly string[];
}

export function Input({ id, label, value, onChange, hint, type = "text", known }: InputProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <input
        id={id}
        type={type}
        value={value}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        aria-describedby={hint ? `${id}-hint` : undefined}
        list={known ? `${id}-known` : undefined}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      {known && (
        <datalist id={`${id}-known`}>
          {known.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      )}
    </div>
  );
}
