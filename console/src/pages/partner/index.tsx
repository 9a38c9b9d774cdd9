import { type Schemas, api } from "../../api";
import { Badge } from "../../components/badge";
import { Fact } from "../../components/facts";
import { Head, useTitle } from "../../components/head";
import { Loaded } from "../../components/status";
import { Time } from "../../components/time";
import { useData, usePolling } from "../../data";
import { hrefTo } from "../../router";
import type { Page } from "../page";
import { Activations } from "./activations";
import { Credentials } from "./credentials";
import { DialectSwitches } from "./dialect";
import { draftOf, offerInWords, servicesInWords } from "./draft";
import { LiftMarks } from "./lift-marks";
import { Pushes } from "./pushes";
import { Selling } from "./selling";
import { Settings } from "./settings";
import { PartnerState, PushUrl } from "./state";
import { Tabs } from "./tabs";
import { TestPush } from "./test-push";

type Partner = Schemas["PartnerView"];

export const partner: Page = { route: "/partners/:partnerId", title: "Partner", view: SinglePartner };

// How often it is read again, for changes by others and for news of its pushes (s).
const REFRESH_EVERY = 15;

function SinglePartner({ params }: { params: Readonly<Record<string, string>> }) {
  const partnerId = params["partnerId"] ?? "";
  const data = usePolling(
    (signal) => api.get("/admin/partners/{partnerId}", { path: { partnerId }, signal }),
    REFRESH_EVERY,
    [partnerId],
  );

  if (data.value === undefined && data.status === 404) {
    return (
      <Head title="Partner not found">
        <a href={hrefTo("partners")}>All partners</a>
      </Head>
    );
  }
  return <Loaded data={data}>{(known) => <Details partner={known} onChanged={data.reload} />}</Loaded>;
}

function Details({ partner: known, onChanged }: { partner: Partner; onChanged: () => void }) {
  useTitle(known.name);
  const dialects = useData((signal) => api.get("/admin/dialects", { signal }), []);
  return (
    <>
      <Head title={<bdi>{known.name}</bdi>}>
        <a href={hrefTo("partners")}>All partners</a>
      </Head>
      <Tabs partnerId={known.partnerId} current="partner" />
      <PartnerFacts partner={known} />
      <div class="two-columns">
        {!known.revoked && <Settings known={known} dialects={dialects} onChanged={onChanged} />}
        <div>
          {!known.revoked && <Selling partner={known} onChanged={onChanged} />}
          {!known.revoked && <TestPush partner={known} />}
          {!known.revoked && <Credentials partner={known} onChanged={onChanged} />}
          <LiftMarks partnerId={known.partnerId} name={known.name} />
        </div>
      </div>
      <DialectSwitches partner={known} dialects={dialects} />
      <Pushes partnerId={known.partnerId} inTrouble={known.inTrouble} every={REFRESH_EVERY} />
      <Activations partnerId={known.partnerId} every={REFRESH_EVERY} />
    </>
  );
}

function PartnerFacts({ partner: known }: { partner: Partner }) {
  return (
    <dl class="facts partner-facts">
      <Fact name="State">
        <PartnerState partner={known} />
      </Fact>
      <Fact name="Id">
        <code>{known.partnerId}</code>
      </Fact>
      <Fact name="Issued">
        <Time at={known.createdAt} />
      </Fact>
      <Fact name="Last delivered push">{known.lastSuccessAt ? <Time at={known.lastSuccessAt} /> : "Never"}</Fact>
      {known.slowUntil && (
        <Fact name="Slow until">
          <Time at={known.slowUntil} />
        </Fact>
      )}
      <Fact name="Pushes">
        {known.signed ? "Signed" : "Not signed"}
        {known.pushUrlIsPlainHttp && (
          <>
            {" "}
            <Badge tone="warn">Plain http</Badge> The key can be read in transit.
          </>
        )}
      </Fact>
      {known.revoked && (
        <>
          <Fact name="Push URL">
            <PushUrl partner={known} />
          </Fact>
          <Fact name="Services">{servicesInWords(known.services)}</Fact>
          <Fact name="Most live activations">{known.liveLimit ?? "Any number"}</Fact>
          <Fact name="Offer">{offerInWords(draftOf(known).offer)}</Fact>
        </>
      )}
    </dl>
  );
}
