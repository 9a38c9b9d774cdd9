import { useState } from "preact/hooks";
import { type Schemas, api } from "../../api";
import { Act } from "../../components/act";
import { announce } from "../../components/announce";
import { Confirm } from "../../components/dialog";
import { Fact } from "../../components/facts";
import { Head } from "../../components/head";
import { LineState } from "../../components/line-state";
import { Rows } from "../../components/listing";
import { ActivationOutcome } from "../../components/outcome";
import { Loaded } from "../../components/status";
import { Time } from "../../components/time";
import { useData } from "../../data";
import { nameOfSource } from "../../lines";
import { hrefTo } from "../../router";
import { Marks } from "./marks";
import { poolHref } from "./pools";
import { Search } from "./search";
import { NumberState, PUTTING_ONLINE, RESTORING, WITHDRAWING } from "./state";

type PhoneNumber = Schemas["NumberWithHistory"];
type Activation = Schemas["ActivationView"];

/** The page of one number. */
export function SingleNumber({ params }: { params: Readonly<Record<string, string>> }) {
  const phone = params["phone"] ?? "";
  const data = useData((signal) => api.get("/admin/numbers/{phone}", { path: { phone }, signal }), [phone]);
  if (data.status === 404 || data.status === 400) return <UnknownNumber phone={phone} />;
  return <Loaded data={data}>{(number) => <Details number={number} onChanged={data.reload} />}</Loaded>;
}

function UnknownNumber({ phone }: { phone: string }) {
  return (
    <>
      <Head title="Number not found" />
      <p>
        <span class="foreign">{phone}</span> is not one of ours.
      </p>
      <Search />
      <p>
        <a href={hrefTo("numbers")}>All pools</a>
      </p>
    </>
  );
}

function Details({ number, onChanged }: { number: PhoneNumber; onChanged: () => void }) {
  const [asking, setAsking] = useState(false);
  const [puttingOnline, setPuttingOnline] = useState(false);
  const action = number.enabled ? "Withdraw" : "Restore";

  const change = async () => {
    const { phone } = number;
    const enabled = !number.enabled;
    await api.patch("/admin/numbers/{phone}", { path: { phone }, body: { enabled } });
    onChanged();
    announce(`${phone} ${enabled ? "restored" : "withdrawn"}`);
  };
  const putOnline = async () => {
    const { phone } = number;
    await api.post("/admin/numbers/{phone}/online", { path: { phone } });
    onChanged();
    announce(`${phone} is online`);
  };

  return (
    <>
      <Head title={number.phone}>
        {number.offline !== null && (
          <Act deed="post /admin/numbers/{phone}/online" onClick={() => setPuttingOnline(true)}>
            It is online
          </Act>
        )}
        <Act
          deed="patch /admin/numbers/{phone}"
          class={number.enabled ? undefined : "primary"}
          onClick={() => setAsking(true)}
        >
          {action}
        </Act>
      </Head>
      <NumberFacts number={number} />
      <Marks phone={number.phone} marks={number.marks} onLifted={onChanged} />
      <RecentActivations activations={number.activations} />
      {asking && (
        <Confirm
          title={`${action} ${number.phone}?`}
          action={action}
          onConfirm={change}
          onClose={() => setAsking(false)}
        >
          <p>{number.enabled ? WITHDRAWING : RESTORING}</p>
        </Confirm>
      )}
      {puttingOnline && (
        <Confirm
          title={`Is ${number.phone} online?`}
          action="It is online"
          onConfirm={putOnline}
          onClose={() => setPuttingOnline(false)}
        >
          <p>{PUTTING_ONLINE}</p>
        </Confirm>
      )}
    </>
  );
}

function NumberFacts({ number }: { number: PhoneNumber }) {
  return (
    <section class="card" aria-label="Current state">
      <dl class="facts number-facts">
        <Fact name="State">
          <NumberState number={number} />
        </Fact>
        <Fact name="Pool">
          <a class="foreign" href={poolHref(number.country, number.operator)}>
            {`${number.operator}, ${number.country}`}
          </a>
        </Fact>
        <Fact name="Line">
          <LineState online={number.online} /> <span class="foreign">{number.line}</span>
        </Fact>
        {number.sourceId !== null && (
          <Fact name={number.line === null ? "Source of its last SMS" : "Source"}>
            <SourceLink sourceId={number.sourceId} />
          </Fact>
        )}
        {number.activationId !== null && (
          <Fact name="Held by">
            <a href={hrefTo("activations", number.activationId)}>activation {number.activationId}</a>
          </Fact>
        )}
      </dl>
    </section>
  );
}

function SourceLink({ sourceId }: { sourceId: string }) {
  const name = useData(() => nameOfSource(sourceId), [sourceId]);
  return (
    <a href={hrefTo("sources", sourceId)}>
      <bdi>{name.value ?? sourceId}</bdi>
    </a>
  );
}

function RecentActivations({ activations }: { activations: readonly Activation[] }) {
  return (
    <>
      <h2>Recent activations</h2>
      {activations.length === 0 ? (
        <p class="empty">Not sold yet.</p>
      ) : (
        <Rows<Activation>
          caption="Recent activations"
          rows={activations}
          keyOf={(activation) => activation.activationId}
          columns={[
            {
              title: "Activation",
              cell: ({ activationId }) => <a href={hrefTo("activations", activationId)}>{activationId}</a>,
            },
            { title: "Started", cell: ({ startedAt }) => <Time at={startedAt} /> },
            { title: "Service", cell: ({ service }) => <code>{service}</code> },
            { title: "Partner", cell: ({ partnerId }) => <a href={hrefTo("partners", partnerId)}>{partnerId}</a> },
            { title: "Outcome", cell: (activation) => <ActivationOutcome activation={activation} /> },
            { title: "Finished", cell: ({ finishedAt }) => (finishedAt === null ? "–" : <Time at={finishedAt} />) },
          ]}
        />
      )}
    </>
  );
}
