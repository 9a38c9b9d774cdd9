import type { Exchange } from "../partner-calls";

// An answer to GET_SERVICES may hold a thousand pools.
const MAX_LENGTH = 20_000;

/** A request and its answer, folded. */
export function ExchangeDetails({ title, exchange }: { title: string; exchange: Exchange }) {
  return (
    <details class="exchange">
      <summary>
        {title}: request and answer <span class="quiet">(HTTP {exchange.status})</span>
      </summary>
      <h3>Request</h3>
      <pre class="foreign" tabIndex={0} role="region" aria-label={`${title}: request`}>
        {exchange.request}
      </pre>
      <h3>Answer</h3>
      <pre class="foreign" tabIndex={0} role="region" aria-label={`${title}: answer`}>
        {shortened(exchange.answer)}
      </pre>
    </details>
  );
}

/** Return the beginning of a text that is too long to be shown. */
export function shortened(text: string): string {
  const left = text.length - MAX_LENGTH;
  return left > 0 ? `${text.slice(0, MAX_LENGTH)}\n… ${left} more characters` : text;
}
