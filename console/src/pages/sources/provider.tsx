import type { Schemas } from "../../api";
import { Marked } from "../../components/marked";

export type Provider = Schemas["ProviderView"];

const CERTAINTY: Readonly<Record<Provider["certainty"], string>> = {
  source: "read in its own source code",
  documents: "from its documentation; not tried out",
  reports: "as others report it; not confirmed",
};

/** Where to enter what at a gateway of a type, the provider's own steps. */
export function Steps({ provider }: { provider: Provider }) {
  return (
    <ol class="steps">
      {provider.steps.map((step) => (
        <li key={step}>
          <Marked text={step} />
        </li>
      ))}
    </ol>
  );
}

/** What there is to know of a type of gateway before one is entered: steps, proof, limits, and how sure that is. */
export function ProviderFacts({ provider }: { provider: Provider }) {
  return (
    <>
      <Steps provider={provider} />
      <details>
        <summary>How it proves itself, and its limits</summary>
        <p>
          Proof: <Marked text={provider.authentication} />.
        </p>
        {provider.line !== "" && (
          <p>
            Lines: <Marked text={provider.line} />.
          </p>
        )}
        {provider.limits.length > 0 && (
          <ul>
            {provider.limits.map((limit) => (
              <li key={limit}>
                <Marked text={limit} />
              </li>
            ))}
          </ul>
        )}
      </details>
      <p class="quiet">How sure this is: {CERTAINTY[provider.certainty]}.</p>
    </>
  );
}
