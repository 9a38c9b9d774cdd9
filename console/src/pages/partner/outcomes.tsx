import type { Schemas } from "../../api";
import { Badge } from "../../components/badge";
import { Fact } from "../../components/facts";
import { count, share } from "../../figures";

/** The outcomes that a partner gave. */
export function Outcomes(outcomes: Schemas["OutcomesView"]) {
  const { prohibited, success, canceled, returned, delivered, takenBack } = outcomes;
  const finished = prohibited + success + canceled + returned;
  if (finished === 0) return <p class="empty">No finished activations.</p>;
  return (
    <dl class="facts partner-facts">
      <Fact name="Success">{count(success)}</Fact>
      <Fact name="Prohibited">{count(prohibited)}</Fact>
      <Fact name="Canceled">{count(canceled)}</Fact>
      <Fact name="Returned">{count(returned)}</Fact>
      <Fact name="Prohibited or canceled">{share(prohibited + canceled, finished)}</Fact>
      <Fact name="Canceled or returned after SMS">
        {share(takenBack, delivered)} of {count(delivered)}
      </Fact>
      {outcomes.overLimit && (
        <Fact name="Limit">
          <Badge tone="bad">Over the limit</Badge>
        </Fact>
      )}
    </dl>
  );
}
