import { useState } from "preact/hooks";
import { type Schemas, api } from "../../api";
import { announce } from "../../components/announce";
import { Badge } from "../../components/badge";
import { HiddenText } from "../../components/hidden-text";
import { Rows } from "../../components/listing";
import { PushOutcome } from "../../components/outcome";
import { Loaded, UpdatedAt } from "../../components/status";
import { Time } from "../../components/time";
import { usePolling } from "../../data";
import { count } from "../../figures";
import { hrefTo } from "../../router";
import { AnswerText } from "./answer-text";
import { Outcomes } from "./outcomes";

type Activity = Schemas["PartnerActivity"];
type FailedAttempt = Schemas["FailedAttempt"];

interface PushesProps {
  readonly partnerId: string;
  readonly inTrouble: boolean;
  readonly every: number;
}

/** How pushes to a partner go, and the outcomes that it gave. */
export function Pushes({ partnerId, inTrouble, every }: PushesProps) {
  const data = usePolling((signal) => readActivity(partnerId, "hidden", signal), every, [partnerId]);
  const [answers, setAnswers] = useState<ReadonlyMap<string, string>>(new Map());
  const showAnswers = async () => {
    const { failures } = await readActivity(partnerId, "shown");
    setAnswers((known) => new Map([...known, ...failures.map((one) => [keyOf(one), one.answer ?? ""] as const)]));
    announce("Answers shown");
  };
  return (
    <section>
      <h2>Pushes</h2>
      <Loaded data={data}>
        {(activity) => (
          <>
            <Backlog activity={activity} inTrouble={inTrouble} />
            <Failures failures={activity.failures} answers={answers} />
            {activity.failures.some((failed) => !answers.has(keyOf(failed))) && (
              <p>
                <HiddenText text={null} label="answers" onShow={showAnswers} />{" "}
                <span class="quiet">They may repeat an SMS. Viewing them is recorded in the audit log.</span>
              </p>
            )}
            <h2>Outcomes in the last 24 hours</h2>
            <Outcomes {...activity.outcomes} />
            <p>
              {count(activity.soldOutAfterPoll)} × NO_NUMBERS though its last poll may have shown some{" "}
              <span class="quiet">(at most: when it polled is known to about a minute)</span>
            </p>
            <UpdatedAt at={data.updatedAt} loading={data.loading} />
          </>
        )}
      </Loaded>
    </section>
  );
}

function Backlog({ activity, inTrouble }: { activity: Activity; inTrouble: boolean }) {
  return (
    <p>
      {activity.waiting === 0 ? (
        "No SMS is waiting to be pushed"
      ) : (
        <>
          <Badge tone={inTrouble ? "bad" : "warn"}>{activity.waiting} waiting</Badge>
          {activity.oldestPendingAt && (
            <>
              , the oldest since <Time at={activity.oldestPendingAt} />
            </>
          )}
        </>
      )}
      <span class="quiet">
        {" — "}
        {activity.measuredAt ? (
          <>
            measured <Time at={activity.measuredAt} short />
          </>
        ) : (
          "not measured yet"
        )}
      </span>
    </p>
  );
}

interface FailuresProps {
  readonly failures: readonly FailedAttempt[];
  /** The answers that were shown, by the key of their attempt. */
  readonly answers: ReadonlyMap<string, string>;
}

function Failures({ failures, answers }: FailuresProps) {
  if (failures.length === 0) return <p class="empty">No push failed in its last 25 activations.</p>;
  return (
    <Rows<FailedAttempt>
      caption="Recent failures"
      rows={failures}
      keyOf={keyOf}
      columns={[
        { title: "At", cell: (failed) => <Time at={failed.at} /> },
        {
          title: "Activation",
          cell: (failed) => <a href={hrefTo("activations", failed.activationId)}>{failed.activationId}</a>,
        },
        { title: "Attempt", cell: (failed) => failed.number, number: true },
        { title: "Result", cell: (failed) => <PushOutcome outcome={failed.outcome} /> },
        { title: "HTTP status", cell: (failed) => failed.httpStatus ?? "None", number: true },
        { title: "Duration", cell: (failed) => `${failed.durationMs} ms`, number: true },
        { title: "Answer", cell: (failed) => <AnswerText text={answers.get(keyOf(failed)) ?? null} /> },
      ]}
    />
  );
}

function readActivity(partnerId: string, texts: "shown" | "hidden", signal?: AbortSignal): Promise<Activity> {
  return api.get("/admin/partners/{partnerId}/activity", { path: { partnerId }, query: { texts }, signal });
}

function keyOf(failed: FailedAttempt): string {
  return `${failed.activationId}/${failed.smsId}/${failed.number}/${failed.at}`;
}
