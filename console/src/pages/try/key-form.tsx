import { useState } from "preact/hooks";
import { FieldErrors, Form, SelectField, TextField } from "../../components/form";
import { CallRefused } from "../../partner-calls";
import { NAME, createPartner, pasteKey } from "./trial";

export function KeyForm() {
  const [how, setHow] = useState<"new" | "pasted">("new");
  const [typed, setTyped] = useState("");

  const send = async () => {
    if (how === "new") return createPartner();
    const key = typed.trim();
    if (!key) throw new FieldErrors({ key: "Enter a partner's key." });
    try {
      await pasteKey(key);
    } catch (error) {
      if (!(error instanceof CallRefused) || error.status !== 401) throw error;
      throw new FieldErrors({ key: "This key is not valid." });
    }
  };

  return (
    <Form
      submit="Continue"
      onSubmit={send}
      label="Be a partner"
      deed={how === "new" ? "post /admin/partners" : undefined}
    >
      <SelectField
        name="how"
        label="With"
        value={how}
        options={[
          ["new", `a key for a new partner “${NAME}”`],
          ["pasted", "a key that I have"],
        ]}
        onChange={setHow}
      />
      {how === "pasted" && (
        <TextField
          name="key"
          label="Key"
          hint="Only this page keeps it."
          type="password"
          autocomplete="off"
          value={typed}
          onChange={setTyped}
          required
        />
      )}
    </Form>
  );
}
