import { useState } from "preact/hooks";
import { type Schemas, api } from "../../api";
import { Act } from "../../components/act";
import { announce } from "../../components/announce";
import { Confirm, Dialog } from "../../components/dialog";
import { Fact } from "../../components/facts";
import { Form } from "../../components/form";
import { ReasonField, reasonIn } from "../../components/reason";
import { Time } from "../../components/time";

type Partner = Schemas["PartnerView"];

/** Whether a partner is paused, to pause and resume it. */
export function Selling({ partner: known, onChanged }: { partner: Partner; onChanged: () => void }) {
  const [asked, setAsked] = useState<"pause" | "resume" | null>(null);
  const close = () => setAsked(null);

  const resume = async () => {
    await api.delete("/admin/partners/{partnerId}/pause", { path: { partnerId: known.partnerId } });
    onChanged();
    announce(`${known.name} can buy again`);
  };

  return (
    <section class="card">
      <h2>Selling</h2>
      {known.paused ? (
        <dl class="facts partner-facts">
          <Fact name="Paused since">
            <Time at={known.paused.at} />
          </Fact>
          <Fact name="Reason">
            <bdi>{known.paused.reason}</bdi>
          </Fact>
        </dl>
      ) : (
        <p class="quiet">A paused partner can't buy. What it has bought is not affected.</p>
      )}
      <div class="buttons">
        <Act deed="post /admin/partners/{partnerId}/pause" onClick={() => setAsked("pause")}>
          {known.paused ? "Change the reason" : "Pause"}
        </Act>
        {known.paused && (
          <Act deed="delete /admin/partners/{partnerId}/pause" onClick={() => setAsked("resume")}>
            Resume
          </Act>
        )}
      </div>
      {asked === "pause" && <PauseDialog partner={known} onPaused={onChanged} onClose={close} />}
      {asked === "resume" && (
        <Confirm title="Resume this partner?" action="Resume" onConfirm={resume} onClose={close}>
          <p>It can buy again within a minute.</p>
        </Confirm>
      )}
    </section>
  );
}

interface PauseDialogProps {
  readonly partner: Partner;
  readonly onPaused: () => void;
  readonly onClose: () => void;
}

function PauseDialog({ partner: known, onPaused, onClose }: PauseDialogProps) {
  const [reason, setReason] = useState(known.paused?.reason ?? "");

  const pause = async () => {
    const body = { reason: reasonIn(reason) };
    await api.post("/admin/partners/{partnerId}/pause", { path: { partnerId: known.partnerId }, body });
    onClose();
    onPaused();
    announce(`${known.name} is paused`);
  };

  return (
    <Dialog title={known.paused ? "Why is this partner paused?" : "Pause this partner?"} onClose={onClose}>
      <p>
        Within a minute it sees counts of 0 and can't buy. SMS, pushes and outcomes of what it has bought are not
        affected.
      </p>
      <Form submit={known.paused ? "Save" : "Pause"} onSubmit={pause} onCancel={onClose}>
        <ReasonField hint="Visible to staff only." value={reason} onChange={setReason} />
      </Form>
    </Dialog>
  );
}
