import { useState } from "preact/hooks";
import { type Schemas, api } from "../../api";
import { Act } from "../../components/act";
import { Copyable } from "../../components/copyable";
import { Fact } from "../../components/facts";
import { Head } from "../../components/head";
import { Loaded } from "../../components/status";
import { Time } from "../../components/time";
import { useData } from "../../data";
import { hrefTo } from "../../router";
import { ChangeDialog } from "./change";
import { Heard, LastSms, Problems } from "./health";
import { Lines } from "./lines";
import { NewSecretDialog } from "./new-secret";
import { type Provider, ProviderFacts } from "./provider";
import { isLong, settingTitle } from "./settings";
import { NumberTest } from "./number-test";

type Source = Schemas["SourceView"];

/** A source with its type, undefined if the catalogue no longer has it. */
interface Described {
  readonly source: Source;
  readonly provider: Provider | undefined;
}

/** The page of one source. */
export function SingleSource({ params }: { params: Readonly<Record<string, string>> }) {
  const sourceId = params["sourceId"] ?? "";
  const data = useData((signal) => read(sourceId, signal), [sourceId]);
  if (data.status === 404) {
    return (
      <Head title="Source not found">
        <a href={hrefTo("sources")}>All sources</a>
      </Head>
    );
  }
  return (
    <Loaded data={data}>
      {(found) => <Details {...found} updatedAt={data.updatedAt} onChanged={data.reload} />}
    </Loaded>
  );
}

/** Return a source. Throws ApiError. */
async function read(sourceId: string, signal: AbortSignal): Promise<Described> {
  const [{ providers }, source] = await Promise.all([
    api.get("/admin/providers", { signal }),
    api.get("/admin/sources/{sourceId}", { path: { sourceId }, signal }),
  ]);
  return { source, provider: providers.find(({ name }) => name === source.provider) };
}

interface DetailsProps extends Described {
  readonly updatedAt: number | null;
  readonly onChanged: () => void;
}

function Details({ source, provider, updatedAt, onChanged }: DetailsProps) {
  const [changing, setChanging] = useState(false);
  const [renewing, setRenewing] = useState(false);
  const { sourceId } = source;

  return (
    <>
      <Head title={<bdi>{source.name}</bdi>}>
        <Act deed="patch /admin/sources/{sourceId}" onClick={() => setChanging(true)}>
          Change
        </Act>
        <Act deed="post /admin/sources/{sourceId}/secret" onClick={() => setRenewing(true)}>
          New secret
        </Act>
      </Head>
      <p>
        <a href={hrefTo("sources")}>All sources</a>
      </p>
      <SourceFacts source={source} provider={provider} />
      {provider && (
        <section class="card" aria-labelledby="enter">
          <h2 id="enter">What to enter at the gateway</h2>
          <ProviderFacts provider={provider} />
        </section>
      )}
      <Lines sourceId={sourceId} called={provider?.line ?? ""} updatedAt={updatedAt} />
      <NumberTest sourceId={sourceId} onEnded={onChanged} />
      {changing && (
        <ChangeDialog source={source} provider={provider} onChanged={onChanged} onClose={() => setChanging(false)} />
      )}
      {renewing && <NewSecretDialog source={source} onClose={() => setRenewing(false)} />}
    </>
  );
}

function SourceFacts({ source, provider }: Described) {
  const settings = Object.entries(source.settings);
  return (
    <section class="card" aria-label="Source">
      <dl class="facts number-facts">
        <Fact name="Type">{provider?.title ?? source.provider}</Fact>
        <Fact name="Added">
          <Time at={source.createdAt} />
        </Fact>
        <Fact name="Last heard from">
          <Heard source={source} />
        </Fact>
        <Fact name="Last SMS">
          <LastSms source={source} />
        </Fact>
        {source.quietSince !== null && (
          <Fact name="Quiet since">
            <Time at={source.quietSince} />: no SMS for longer than usual at this hour, though numbers of it are sold
          </Fact>
        )}
        <Fact name="Last problems">
          <Problems source={source} />
        </Fact>
        <Fact name="Address">
          <Copyable label="Address" value={source.address} />
        </Fact>
        {settings.map(([name, value]) => (
          <Fact key={name} name={settingTitle(name)}>
            <SettingValue name={name} value={value} />
          </Fact>
        ))}
      </dl>
    </section>
  );
}

function SettingValue({ name, value }: { name: string; value: string | boolean }) {
  if (typeof value === "boolean") return <>{value ? "Yes" : "No"}</>;
  return isLong(name) ? <>Entered</> : <span class="foreign">{value}</span>;
}
