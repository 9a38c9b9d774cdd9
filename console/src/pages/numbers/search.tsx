import { useState } from "preact/hooks";
import { FieldErrors, Form, TextField } from "../../components/form";
import { goTo } from "../../router";

export function Search() {
  const [phone, setPhone] = useState("");

  const find = async () => {
    // As people write them: +44 7700 900-123.
    const digits = phone.replace(/[\s()+.\-\u00A0]/g, "");
    if (!/^[1-9]\d{4,14}$/.test(digits)) {
      throw new FieldErrors({ phone: "Expected 5 to 15 digits, country code first" });
    }
    goTo("numbers", digits);
  };

  return (
    <div class="search" role="search">
      <Form submit="Find" onSubmit={find} label="Find a number">
        <TextField name="phone" label="Number" value={phone} onChange={setPhone} type="search" inputMode="tel" />
      </Form>
    </div>
  );
}
