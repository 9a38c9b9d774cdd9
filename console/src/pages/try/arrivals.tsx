import { Failure } from "../../components/status";
import { Time } from "../../components/time";
import { usePolling } from "../../data";
import { pollSms } from "../../partner-calls";
import { ExchangeDetails } from "../../components/exchange-details";
import type { Activation } from "./trial";

interface Sms {
  readonly smsId: string;
  readonly phoneFrom: string;
  readonly text: string;
  readonly receivedAt: string;
}

const POLL_EVERY = 2;

/** The SMS of an activation, as a partner that polls gets them. */
export function Arrivals({ apiKey, activation }: { apiKey: string; activation: Activation }) {
  const isLive = activation.outcome === null;
  const data = usePolling(
    async (signal) => {
      const [answer, exchange] = await pollSms(apiKey, activation.activationId, signal);
      return { messages: (answer as { messages?: readonly Sms[] }).messages ?? [], exchange };
    },
    isLive ? POLL_EVERY : null,
    [activation.activationId],
  );
  const messages = data.value?.messages ?? [];
  return (
    <>
      {data.error !== null && <Failure text={data.error} onRetry={data.reload} />}
      <div role="log" aria-label="SMS that arrived">
        {messages.length === 0 ? (
          <p class="quiet">{isLive ? `None yet. Polling getsms every ${POLL_EVERY} s.` : "None arrived."}</p>
        ) : (
          messages.map((sms) => (
            <blockquote key={sms.smsId} class="answer">
              <p>
                From <bdi class="foreign">{sms.phoneFrom}</bdi>, <Time at={sms.receivedAt} />
              </p>
              <p class="foreign">{sms.text}</p>
            </blockquote>
          ))
        )}
      </div>
      {data.value && <ExchangeDetails title="Last getsms" exchange={data.value.exchange} />}
    </>
  );
}
