import type { Schemas } from "../../api";
import { Badge } from "../../components/badge";

type Partner = Schemas["PartnerView"];

/** Where its SMS are pushed. */
export function PushUrl({ partner: { pushUrl } }: { partner: Partner }) {
  return pushUrl === null ? <span class="quiet">None</span> : <bdi class="url">{pushUrl}</bdi>;
}

/** Whether a partner can buy, and whether pushes reach it. */
export function PartnerState({ partner }: { partner: Partner }) {
  if (partner.revoked) return <Badge tone="bad">Revoked</Badge>;
  return (
    <>
      {partner.paused && <Badge tone="warn">Paused</Badge>} <PushState partner={partner} />
    </>
  );
}

function PushState({ partner }: { partner: Partner }) {
  if (partner.inTrouble) return <Badge tone="bad">In trouble</Badge>;
  if (partner.slowUntil) return <Badge tone="warn">Slow</Badge>;
  return partner.paused ? null : <Badge tone="good">Active</Badge>;
}
