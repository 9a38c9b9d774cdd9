import { useState } from "preact/hooks";
import { useAction } from "../../action";
import { type Schemas, api } from "../../api";
import { Act } from "../../components/act";
import { HiddenText } from "../../components/hidden-text";
import { Failure } from "../../components/status";
import { Time } from "../../components/time";
import { answerTo } from "./attempt";
import { PushBadge } from "./words";

type SmsDetails = Schemas["SmsView"];

interface SmsProps {
  readonly activation: Schemas["ActivationDetails"];
  readonly sms: SmsDetails;
  readonly title: string;
  /** The SMS as it was when its text was shown. */
  readonly revealed: SmsDetails | null;
  readonly onReveal: () => Promise<void>;
  readonly onPushed: () => void;
}

export function Sms({ activation, sms, title, revealed, onReveal, onPushed }: SmsProps) {
  const hasNewAnswers = revealed !== null && sms.attemptLog.some((attempt) => answerTo(attempt, revealed) === null);
  const label = title === "SMS" ? "SMS text" : `text of ${title}`;
  return (
    <>
      <p>
        <strong>{title}</strong> from <bdi class="foreign">{sms.phoneFrom}</bdi> <PushBadge state={sms.pushState} />
      </p>
      {sms.receivedAt !== sms.storedAt && (
        <p class="quiet">
          The gateway received it at <Time at={sms.receivedAt} />
        </p>
      )}
      <div class="sms">
        <HiddenText text={revealed?.text ?? null} label={label} onShow={onReveal} />
        {revealed === null && (
          <span class="quiet">Also shows the answers to its pushes. Viewing is recorded in the audit log.</span>
        )}
        {hasNewAnswers && <HiddenText text={null} label="newer answers" onShow={onReveal} />}
      </div>
      {activation.state === "finished" ? (
        sms.pushState !== "delivered" && <p class="quiet">Finished: no more pushes.</p>
      ) : (
        <PushAgain activationId={activation.activationId} smsId={sms.smsId} title={title} onPushed={onPushed} />
      )}
    </>
  );
}

interface PushAgainProps {
  readonly activationId: number;
  readonly smsId: string;
  readonly title: string;
  readonly onPushed: () => void;
}

function PushAgain({ activationId, smsId, title, onPushed }: PushAgainProps) {
  const [queued, setQueued] = useState(false);
  const push = useAction(async () => {
    setQueued(false);
    await api.post("/admin/activations/{activationId}/messages/{smsId}/push", { path: { activationId, smsId } });
    setQueued(true);
    onPushed();
  });

  return (
    <div class="push-again">
      <Act
        deed="post /admin/activations/{activationId}/messages/{smsId}/push"
        busy={push.busy}
        aria-label={`Push again: ${title}`}
        onClick={() => push.run()}
      >
        {push.busy ? "One moment…" : "Push again"}
      </Act>
      <span class="quiet" role="status">
        {queued && "Queued; the attempt will appear here."}
      </span>
      {push.error !== null && <Failure text={push.error} />}
    </div>
  );
}
