import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../../api";
import { Act } from "../../components/act";
import { announce } from "../../components/announce";
import { Dialog } from "../../components/dialog";
import { Field, FieldErrors, Form } from "../../components/form";
import { ReasonField, reasonIn } from "../../components/reason";
import { Success } from "../../components/status";
import { plural } from "../../figures";

const DAY = 86_400_000;

interface LiftMarksProps {
  readonly partnerId: string;
  readonly name: string;
}

/** Lifts all marks that a partner left since a time, page by page. */
export function LiftMarks({ partnerId, name }: LiftMarksProps) {
  const [asking, setAsking] = useState(false);
  const [report, setReport] = useState<string | null>(null);

  return (
    <section class="card">
      <h2>Marks on numbers</h2>
      <p>Its outcomes Prohibited and Canceled keep numbers from being sold again for those services.</p>
      <Act deed="post /admin/partners/{partnerId}/lift-marks" onClick={() => setAsking(true)}>
        Lift marks since…
      </Act>
      {report !== null && <Success>{report}</Success>}
      {asking && (
        <LiftDialog
          partnerId={partnerId}
          name={name}
          onLifted={(lifted) => {
            setAsking(false);
            setReport(`${plural(lifted, "mark")} lifted.`);
          }}
          onClose={() => setAsking(false)}
        />
      )}
    </section>
  );
}

interface LiftDialogProps extends LiftMarksProps {
  readonly onLifted: (lifted: number) => void;
  readonly onClose: () => void;
}

function LiftDialog({ partnerId, name, onLifted, onClose }: LiftDialogProps) {
  const [since, setSince] = useState(() => localTime(Date.now() - DAY));
  const [reason, setReason] = useState("");
  const { lift, lifted } = useLift(partnerId, onLifted);

  return (
    <Dialog title="Lift marks?" onClose={onClose}>
      <p>
        Lifts what the outcomes Prohibited and Canceled of <bdi>{name}</bdi> left on numbers, for activations that started
        since then. Those numbers are sold again, unless others block them too. This can't be undone.
      </p>
      <div class="destructive">
        <Form submit="Lift marks" onSubmit={() => lift(since, reason)} onCancel={onClose}>
          <Field name="since" label="Since" hint="In your time zone.">
            {(control) => (
              <input
                {...control}
                type="datetime-local"
                value={since}
                onInput={(event) => setSince(event.currentTarget.value)}
                required
              />
            )}
          </Field>
          <ReasonField hint="For the audit log." value={reason} onChange={setReason} />
        </Form>
      </div>
      {lifted !== null && (
        <p class="quiet" role="status">
          {plural(lifted, "mark")} lifted so far
        </p>
      )}
    </Dialog>
  );
}

function useLift(partnerId: string, onLifted: (lifted: number) => void) {
  const [lifted, setLifted] = useState<number | null>(null);
  // After a failure it resumes here.
  const progress = useRef<{ since: string; cursor: string | null; lifted: number } | null>(null);
  const open = useRef(true);
  useEffect(() => () => void (open.current = false), []);

  const lift = async (since: string, reason: string) => {
    const moment = new Date(since);
    if (Number.isNaN(moment.getTime())) throw new FieldErrors({ since: "Enter a date and time." });
    const body = { since: moment.toISOString(), reason: reasonIn(reason) };
    if (progress.current?.since !== body.since) progress.current = { since: body.since, cursor: null, lifted: 0 };
    const total = progress.current;
    do {
      setLifted(total.lifted);
      const answer = await api.post("/admin/partners/{partnerId}/lift-marks", {
        path: { partnerId },
        body: { ...body, cursor: total.cursor },
      });
      total.lifted += answer.lifted;
      total.cursor = answer.cursor;
      // Closing the dialog stops it.
      if (!open.current) return;
    } while (total.cursor !== null);
    announce(`${plural(total.lifted, "mark")} lifted`);
    onLifted(total.lifted);
  };

  return { lift, lifted };
}

/** Return a time (ms) as a datetime-local field takes it, in the browser's zone. */
function localTime(at: number): string {
  const moment = new Date(at);
  return new Date(at - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
