import { useState } from "preact/hooks";
import { FieldErrors, Form, TextField } from "../../components/form";
import { useStore } from "../../store";
import { type Activation, NAME, sendSms, trial } from "./trial";

export function SmsForm({ activation }: { activation: Activation }) {
  const { source } = useStore(trial);
  const [from, setFrom] = useState("Telegram");
  const [text, setText] = useState("Your code: 50151");

  const send = async () => {
    if (!from.trim()) throw new FieldErrors({ from: "Enter a sender." });
    await sendSms(activation, from, text);
  };

  return (
    <Form
      submit="Send SMS"
      onSubmit={send}
      label="Send an SMS"
      deed={source === null ? "post /admin/sources" : undefined}
    >
      <p class="quiet">
        Delivered as a gateway does it, signed with the secret of a source “{NAME}”, which the first SMS creates.
        {activation.outcome !== null && " The activation is finished: an SMS is unclaimed now."}
      </p>
      <TextField name="from" label="From" value={from} onChange={setFrom} required />
      <TextField name="text" label="Text" value={text} onChange={setText} />
      <p class="quiet" role="status">
        {activation.sent > 0 && `${activation.sent} sent.`}
      </p>
    </Form>
  );
}
