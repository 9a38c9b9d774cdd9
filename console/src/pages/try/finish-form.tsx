import { useState } from "preact/hooks";
import { Form, SelectField } from "../../components/form";
import { OUTCOMES } from "../../components/outcome";
import { hrefTo } from "../../router";
import { type Activation, type Outcome, finish, startOver } from "./trial";

/** Outcomes, the one that leaves no mark first. */
const ORDER: readonly Outcome[] = [5, 3, 4, 1];

/** What an outcome does to the number (contract 1.5). */
const EFFECTS: Readonly<Record<Outcome, string>> = {
  5: "The number is free again.",
  3: "The number is used up for this service.",
  4: "It counts: after too many, the number is no longer sold for this service.",
  1: "The number is never sold for this service again.",
};

export function FinishForm({ activation }: { activation: Activation }) {
  const [outcome, setOutcome] = useState<Outcome>(5);
  if (activation.outcome !== null) {
    return (
      <>
        <p>
          Finished: <strong>{OUTCOMES[activation.outcome]}</strong>.{" "}
          <a href={hrefTo("activations", activation.activationId)}>View its timeline</a>.
        </p>
        <div class="buttons">
          <button type="button" class="primary" onClick={startOver}>
            Take another number
          </button>
        </div>
      </>
    );
  }
  return (
    <Form submit="Finish" onSubmit={() => finish(activation, outcome)} label="Finish the activation">
      <SelectField
        name="status"
        label="Outcome"
        value={String(outcome)}
        hint={EFFECTS[outcome]}
        options={ORDER.map((code) => [String(code), OUTCOMES[code] ?? ""])}
        onChange={(code) => setOutcome(Number(code) as Outcome)}
      />
    </Form>
  );
}
