import { useState } from "preact/hooks";
import { FieldErrors, Form, TextField } from "../../components/form";
import { NO_PHONE, digitsIn, isPhone } from "../../phones";
import { goTo } from "../../router";

export function Search() {
  const [phone, setPhone] = useState("");

  const find = async () => {
    const digits = digitsIn(phone);
    if (!isPhone(digits)) throw new FieldErrors({ phone: NO_PHONE });
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
