import { useState } from "preact/hooks";
import { useAction } from "../../action";
import { type Schemas, api } from "../../api";
import { Act } from "../../components/act";
import { Fact } from "../../components/facts";
import { PushOutcome } from "../../components/outcome";
import { Failure } from "../../components/status";
import { AnswerText } from "./answer-text";
import { PushUrl } from "./state";

type TestResult = Schemas["TestPushResult"];

export function TestPush({ partner: known }: { partner: Schemas["PartnerView"] }) {
  const [result, setResult] = useState<TestResult | null>(null);
  const push = useAction(async () => {
    setResult(null);
    const path = { partnerId: known.partnerId };
    setResult(await api.post("/admin/partners/{partnerId}/test-push", { path }));
  });

  return (
    <section class="card">
      <h2>Test push</h2>
      {known.pushUrl === null ? (
        <p class="quiet">No Push URL is set.</p>
      ) : (
        <>
          <p>
            Pushes a test SMS once to <PushUrl partner={known} />
          </p>
          <Act deed="post /admin/partners/{partnerId}/test-push" busy={push.busy} onClick={() => push.run()}>
            {push.busy ? "Pushing…" : "Send test push"}
          </Act>
        </>
      )}
      {push.error !== null && <Failure text={push.error} />}
      <div role="status">{result && <Result result={result} />}</div>
    </section>
  );
}

function Result({ result }: { result: TestResult }) {
  return (
    <dl class="facts partner-facts result">
      <Fact name="Delivered">{result.delivered ? "Yes" : "No"}</Fact>
      <Fact name="Result">
        <PushOutcome outcome={result.outcome} />
      </Fact>
      <Fact name="HTTP status">{result.httpStatus ?? "None"}</Fact>
      <Fact name="Duration">{result.durationMs} ms</Fact>
      <Fact name="Answer">
        <AnswerText text={result.answer} />
      </Fact>
    </dl>
  );
}
