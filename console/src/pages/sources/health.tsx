import type { Schemas } from "../../api";
import { Badge } from "../../components/badge";
import { Time } from "../../components/time";
import { hrefTo } from "../../router";

type Source = Schemas["SourceView"];

export function Heard({ source }: { source: Source }) {
  return source.lastHeardAt ? <Time at={source.lastHeardAt} /> : <Badge>Never</Badge>;
}

/** When the last SMS came by a source, and whether it should have sent another since. */
export function LastSms({ source: { lastSmsAt, quietSince } }: { source: Source }) {
  return (
    <span class="badges">
      {lastSmsAt === null ? <Badge>Never</Badge> : <Time at={lastSmsAt} />}
      {quietSince !== null && <Badge tone="warn">Quiet</Badge>}
    </span>
  );
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
