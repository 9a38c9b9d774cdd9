import { useState } from "preact/hooks";
import { type Schemas, api } from "../../api";
import { Act } from "../../components/act";
import { Dialog } from "../../components/dialog";
import { Form } from "../../components/form";
import { Rows } from "../../components/listing";
import { OUTCOMES } from "../../components/outcome";
import { ReasonField, reasonIn } from "../../components/reason";
import { Success } from "../../components/status";
import { Time } from "../../components/time";
import { plural } from "../../figures";
import { hrefTo } from "../../router";

type Mark = Schemas["MarkView"];
type Cause = Schemas["CauseView"];

const SUCCESS = 3;

interface MarksProps {
  readonly phone: string;
  readonly marks: readonly Mark[];
  readonly onLifted: () => void;
}

/** The marks of a number with their causes; all but those of a success can be lifted. */
export function Marks({ phone, marks, onLifted }: MarksProps) {
  const [asked, setAsked] = useState<Mark | null>(null);
  const [report, setReport] = useState<string | null>(null);

  return (
    <>
      <h2>Marks</h2>
      {report !== null && <Success>{report}</Success>}
      {marks.length === 0 ? (
        <p class="empty">No marks.</p>
      ) : (
        <Rows<Mark>
          caption="Marks"
          rows={marks}
          keyOf={({ service }) => service}
          columns={[
            { title: "Service", cell: ({ service }) => <code>{service}</code> },
            { title: "Blocked", cell: ({ blocked }) => (blocked ? "Yes" : "No") },
            { title: "Cancels", cell: ({ cancels }) => cancels, number: true },
            { title: "Blocked by", cell: (mark) => <Causes {...mark} /> },
            {
              title: "Lift",
              cell: (mark) =>
                isUsedUp(mark) ? (
                  <span class="quiet">Used up</span>
                ) : (
                  <Act
                    deed="post /admin/numbers/{phone}/lift-marks"
                    class="small"
                    aria-label={`Lift ${mark.service}`}
                    onClick={() => setAsked(mark)}
                  >
                    Lift
                  </Act>
                ),
            },
          ]}
        />
      )}
      {asked !== null && (
        <LiftMark
          phone={phone}
          mark={asked}
          onLifted={({ lifted, warning }) => {
            setAsked(null);
            setReport([`${plural(lifted, "mark")} of ${asked.service} lifted.`, warning].filter(Boolean).join(" "));
            onLifted();
          }}
          onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}

function isUsedUp({ causes }: Mark): boolean {
  return causes.some(({ outcome }) => outcome === SUCCESS);
}

function Causes({ blocked, causes }: Mark) {
  if (!blocked) return <>–</>;
  if (causes.length === 0) return <span class="quiet">Unknown</span>;
  return (
    <ul class="details">
      {causes.map((cause) => (
        <li key={cause.activationId}>
          <CauseDetails {...cause} />
        </li>
      ))}
    </ul>
  );
}

function CauseDetails({ activationId, partnerId, outcome, at }: Cause) {
  return (
    <>
      {OUTCOMES[outcome]} by <a href={hrefTo("partners", partnerId)}>{partnerId}</a> with{" "}
      <a href={hrefTo("activations", activationId)}>{activationId}</a>, <Time at={at} />
    </>
  );
}

interface LiftMarkProps {
  readonly phone: string;
  readonly mark: Mark;
  readonly onLifted: (answer: Schemas["NumberWithLift"]) => void;
  readonly onClose: () => void;
}

function LiftMark({ phone, mark, onLifted, onClose }: LiftMarkProps) {
  const [reason, setReason] = useState("");
  const { service } = mark;

  const lift = async () => {
    const body = { service, reason: reasonIn(reason) };
    onLifted(await api.post("/admin/numbers/{phone}/lift-marks", { path: { phone }, body }));
  };

  return (
    <Dialog title={`Lift the marks of ${service}?`} onClose={onClose}>
      <p>
        {phone} can be sold for <code>{service}</code> again, and its cancels count from 0.
      </p>
      {mark.blocked && mark.causes.length === 0 && (
        <p>
          <strong>What blocked it is unknown.</strong> If it was a success, the buyer gets a used-up number.
        </p>
      )}
      <Form submit="Lift" onSubmit={lift} onCancel={onClose}>
        <ReasonField hint="For the audit log." value={reason} onChange={setReason} />
      </Form>
    </Dialog>
  );
}
