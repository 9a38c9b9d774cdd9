import { type Schemas, api } from "../../api";
import { Listing } from "../../components/listing";
import { Time } from "../../components/time";
import { hrefTo } from "../../router";
import type { Page } from "../page";
import { Foreign, Inbox, Repeats, TITLES, useSourceNames } from "./inbox";
import { Incomplete } from "./incomplete";
import { Unreadable } from "./unreadable";
import { Waiting } from "./waiting";

type Sms = Schemas["UnclaimedSmsView"];

export const unclaimed: Page = {
  route: "/unclaimed",
  title: TITLES["/unclaimed"],
  menu: "Unclaimed",
  view: Unclaimed,
};
export const waiting: Page = { route: "/unclaimed/waiting", title: TITLES["/unclaimed/waiting"], view: Waiting };
export const incomplete: Page = {
  route: "/unclaimed/incomplete",
  title: TITLES["/unclaimed/incomplete"],
  view: Incomplete,
};
export const unreadable: Page = { route: "/unclaimed/payloads", title: TITLES["/unclaimed/payloads"], view: Unreadable };

function Unclaimed() {
  const name = useSourceNames();
  return (
    <Inbox route="/unclaimed" what="texts" lead="SMS that belong to no activation, and why.">
      {(texts) => (
        <Listing<Sms>
          caption={TITLES["/unclaimed"]}
          deps={[texts]}
          load={async (cursor, signal) => {
            const page = await api.get("/admin/unclaimed", { query: { cursor, texts }, signal });
            return { rows: page.messages, cursor: page.cursor };
          }}
          keyOf={(sms) => sms.smsId}
          columns={[
            { title: "Received", cell: (sms) => <Time at={sms.receivedAt} /> },
            { title: "Number", cell: (sms) => <a href={hrefTo("numbers", sms.phone)}>{sms.phone}</a> },
            { title: "From", cell: (sms) => <bdi class="foreign">{sms.phoneFrom}</bdi> },
            { title: "Text", cell: (sms) => <Foreign text={sms.text} /> },
            { title: "Source", cell: (sms) => <bdi>{name(sms.sourceId)}</bdi> },
            { title: "Reason", cell: (sms) => <Reason {...sms} /> },
          ]}
          empty="No unclaimed SMS."
        />
      )}
    </Inbox>
  );
}

function Reason({ reason, repeats }: Sms) {
  if (repeats === 0) return <>{reason}</>;
  return (
    <>
      {reason}; <Repeats repeats={repeats} />
    </>
  );
}
