import { type Schemas, api } from "../../../api";
import { Head, useTitle } from "../../../components/head";
import { Loaded } from "../../../components/status";
import { useData } from "../../../data";
import { hrefTo } from "../../../router";
import type { Page } from "../../page";
import { Tabs } from "../tabs";
import { Editor } from "./editor";
import { Preview } from "./preview";

export const partnerNames: Page = { route: "/partners/:partnerId/names", title: "Names of a partner", view: Names };

function Names({ params }: { params: Readonly<Record<string, string>> }) {
  const partnerId = params["partnerId"] ?? "";
  const data = useData((signal) => api.get("/admin/partners/{partnerId}", { path: { partnerId }, signal }), [partnerId]);
  if (data.value === undefined && data.status === 404) {
    return (
      <Head title="Partner not found">
        <a href={hrefTo("partners")}>All partners</a>
      </Head>
    );
  }
  return <Loaded data={data}>{(known) => <NamesOf partner={known} />}</Loaded>;
}

function NamesOf({ partner }: { partner: Schemas["PartnerView"] }) {
  useTitle(`Names of ${partner.name}`);
  const path = { partnerId: partner.partnerId };
  const names = useData((signal) => api.get("/admin/partners/{partnerId}/names", { path, signal }), []);
  const preview = useData((signal) => api.get("/admin/partners/{partnerId}/preview", { path, signal }), []);
  return (
    <>
      <Head title={<bdi>{partner.name}</bdi>}>
        <a href={hrefTo("partners")}>All partners</a>
      </Head>
      <Tabs partnerId={partner.partnerId} current="names" />
      <Loaded data={names}>
        {(known) => (
          <Editor partner={partner} known={known} lacking={preview.value?.unmapped} onSaved={preview.reload} />
        )}
      </Loaded>
      <Preview partner={partner} data={preview} />
    </>
  );
}
