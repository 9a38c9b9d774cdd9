import { useEffect, useState } from "preact/hooks";
import { type Schemas, api } from "../../api";
import { Act } from "../../components/act";
import { announce } from "../../components/announce";
import { Confirm } from "../../components/dialog";
import { Fact } from "../../components/facts";
import { Head } from "../../components/head";
import { ActivationOutcome } from "../../components/outcome";
import { Pool } from "../../components/pool";
import { Loaded, UpdatedAt } from "../../components/status";
import { usePolling } from "../../data";
import { hrefTo } from "../../router";
import type { Page } from "../page";
import { usePartnerName } from "../partner-names";
import { Timeline } from "./timeline";

type ActivationWithSms = Schemas["ActivationDetails"];
type Sms = Schemas["SmsView"];

export const activation: Page = { route: "/activations/:activationId", title: "Activation", view: SingleActivation };

const REFRESH_EVERY = 5;

function SingleActivation({ params }: { params: Readonly<Record<string, string>> }) {
  const activationId = params["activationId"] ?? "";
  const [watching, setWatching] = useState(true);
  const [ending, setEnding] = useState(false);
  const [revealed, setRevealed] = useState<ReadonlyMap<string, Sms>>(new Map());
  const data = usePolling<ActivationWithSms>(
    (signal) =>
      api.get("/admin/activations/{activationId}", { path: { activationId }, query: { texts: "hidden" }, signal }),
    watching ? REFRESH_EVERY : null,
    [activationId],
  );
  const gone = data.status === 404 || data.status === 400;
  useEffect(() => {
    setWatching(!gone && (data.value === undefined || canChange(data.value)));
  }, [data.value, gone]);

  const reveal = async (smsId: string) => {
    const { messages } = await api.get("/admin/activations/{activationId}", {
      path: { activationId },
      query: { texts: smsId },
    });
    const sms = messages.find((one) => one.smsId === smsId);
    if (sms) setRevealed((known) => new Map(known).set(smsId, sms));
    announce("SMS text shown");
  };

  const end = async () => {
    await api.post("/admin/activations/{activationId}/end", { path: { activationId } });
    data.reload();
    announce("Activation ended");
  };

  return (
    <>
      <Head title={`Activation ${activationId}`}>
        {data.value && data.value.overdueSince !== null && (
          <Act deed="post /admin/activations/{activationId}/end" onClick={() => setEnding(true)}>
            End
          </Act>
        )}
        <a href={hrefTo("activations")}>All activations</a>
      </Head>
      {gone ? (
        <p class="empty">Activation not found. Old ones are purged.</p>
      ) : (
        <Loaded data={data}>
          {(value) => (
            <>
              <ActivationFacts activation={value} />
              <h2 id="timeline">Timeline</h2>
              <Timeline activation={value} revealed={revealed} onReveal={reveal} onPushed={data.reload} />
              {watching && <UpdatedAt at={data.updatedAt} loading={data.loading} />}
            </>
          )}
        </Loaded>
      )}
      {ending && (
        <Confirm title="End this activation?" action="End it" onConfirm={end} onClose={() => setEnding(false)}>
          <p>
            It expires now: its number is free, or rests first, and SMS that arrive later are not the partner's. The
            partner may still finish it.
          </p>
        </Confirm>
      )}
    </>
  );
}

function ActivationFacts({ activation }: { activation: ActivationWithSms }) {
  const partner = usePartnerName(activation.partnerId);
  const { messageCount, messages } = activation;
  return (
    <dl class="card facts activation-facts">
      <Fact name="State">
        <ActivationOutcome activation={activation} />
      </Fact>
      <Fact name="Number">
        <a href={hrefTo("numbers", activation.phone)}>{activation.phone}</a>
      </Fact>
      <Fact name="Service">{activation.service}</Fact>
      <Fact name="Pool">
        <Pool {...activation} />
      </Fact>
      <Fact name="Partner">
        <a href={hrefTo("partners", activation.partnerId)}>
          <bdi>{partner}</bdi>
        </a>
      </Fact>
      <Fact name="SMS">
        {messages.length === messageCount
          ? messageCount || "None"
          : `${messageCount}, of which the newest ${messages.length} are below`}
      </Fact>
      {activation.sum !== null && (
        <Fact name="Sum, as reported by the partner">
          <bdi>
            {activation.sum} {activation.currency}
          </bdi>
        </Fact>
      )}
    </dl>
  );
}

/** Return whether more may still happen to it. */
function canChange({ state, messages }: ActivationWithSms): boolean {
  return state === "live" || (state === "expired" && messages.some(({ pushState }) => pushState === "pending"));
}
