import type { Schemas } from "../../api";
import { PushOutcome } from "../../components/outcome";

type PushAttempt = Schemas["AttemptView"];

interface AttemptProps {
  readonly attempt: PushAttempt;
  /** The start of the partner's answer, null while it is hidden. */
  readonly answer: string | null;
  /** Which SMS was pushed, if there are several. */
  readonly suffix: string;
}

export function Attempt({ attempt, answer, suffix }: AttemptProps) {
  return (
    <>
      <p>
        <strong>Push {attempt.number}</strong> {suffix} <PushOutcome outcome={attempt.outcome} />
      </p>
      <p class="quiet">
        {attempt.httpStatus === null ? "No HTTP status" : `HTTP ${attempt.httpStatus}`}, {attempt.durationMs} ms
      </p>
      {answer === null && <p class="quiet">Its answer is hidden with the SMS text.</p>}
      {answer && (
        <blockquote class="answer" aria-label="Start of the answer">
          <bdi class="foreign">{answer}</bdi>
        </blockquote>
      )}
    </>
  );
}

/** Return the answer to an attempt, null if the SMS was not shown since. */
export function answerTo(attempt: PushAttempt, revealed: Schemas["SmsView"] | null): string | null {
  return revealed?.attemptLog.find(({ number }) => number === attempt.number)?.answer ?? null;
}
