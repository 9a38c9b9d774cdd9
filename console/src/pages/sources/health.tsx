import type { Schemas } from "../../api";
import { Badge } from "../../components/badge";
import { Time } from "../../components/time";
import { hrefTo } from "../../router";

type Source = Schemas["SourceView"];

export function Heard({ source }: { source: Source }) {
  return source.lastHeardAt ? <Time at={source.lastHeardAt} /> : <Badge>Never</Badge>;
}

/** What a source sent last that was of no use. */
export function Problems({ source: { lastUnreadable, lastUntimed } }: { source: Source }) {
  if (!lastUnreadable && !lastUntimed) return <>None</>;
  return (
    <>
      {lastUnreadable && (
        <div>
          Not taken <Time at={lastUnreadable.at} />: <span class="foreign">{lastUnreadable.reason}</span>{" "}
          <a href={hrefTo("unclaimed", "payloads")}>View</a>
        </div>
      )}
      {lastUntimed && (
        <div>
          SMS without a time <Time at={lastUntimed.at} />: <span class="foreign">{lastUntimed.reason}</span>
        </div>
      )}
    </>
  );
}
