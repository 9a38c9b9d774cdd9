import { hrefTo } from "../../router";

/** The pages of a partner. */
export function Tabs({ partnerId, current }: { partnerId: string; current: "partner" | "names" }) {
  const page = (is: typeof current) => (is === current ? ("page" as const) : undefined);
  return (
    <nav class="tabs" aria-label="Partner">
      <a href={hrefTo("partners", partnerId)} aria-current={page("partner")}>
        Partner
      </a>
      <a href={hrefTo("partners", partnerId, "names")} aria-current={page("names")}>
        Names and preview
      </a>
    </nav>
  );
}
