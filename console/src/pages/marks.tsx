// What outcomes left on numbers, and lifting it: of one number, or all that a partner left.
import { useEffect, useRef, useState } from "preact/hooks";
import { type Schemas, api } from "../api";
import { announce } from "../components/announce";
import { Dialog } from "../components/dialog";
import { Field, FieldErrors, Form, TextField } from "../components/form";
import { Rows } from "../components/listing";
import { OUTCOMES } from "../components/outcome";
import { Done } from "../components/status";
import { Time } from "../components/time";
import { plural } from "../figures";
import { hrefTo } from "../router";

type Mark = Schemas["MarkView"];
type Cause = Schemas["CauseView"];

const SUCCESS = 3;
const DAY = 86_400_000;

interface MarksProps {
  readonly phone: string;
  readonly marks: readonly Mark[];
  /** What was lifted last. */
  readonly said: string | null;
  readonly onLifted: (said: string) => void;
}

/** The marks of a number, each with where it comes from; all but those of a success can be lifted. */
export function Marks({ phone, marks, said, onLifted }: MarksProps) {
  const [asked, setAsked] = useState<Mark | null>(null);

  return (
    <>
      <h2>Marks</h2>
      {said !== null && <Done>{said}</Done>}
      {marks.length === 0 ? (
        <p class="empty">No outcome has left a mark.</p>
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
                  <button type="button" class="small" aria-label={`Lift ${mark.service}`} onClick={() => setAsked(mark)}>
                    Lift
                  </button>
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
            onLifted([`${plural(lifted, "mark")} of ${asked.service} lifted.`, warning].filter(Boolean).join(" "));
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
  if (causes.length === 0) return <span class="quiet">Not known</span>;
  return (
    <ul class="details">
      {causes.map((cause) => (
        <li key={cause.activationId}>
          <OneCause {...cause} />
        </li>
      ))}
    </ul>
  );
}

function OneCause({ activationId, partnerId, outcome, at }: Cause) {
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
    const body = { service, reason: stated(reason) };
    onLifted(await api.post("/admin/numbers/{phone}/lift-marks", { path: { phone }, body }));
  };

  return (
    <Dialog title={`Lift the marks of ${service}?`} onClose={onClose}>
      <p>
        {phone} is sold for <code>{service}</code> again, and its cancels count from none.
      </p>
      {mark.blocked && mark.causes.length === 0 && (
        <p>
          <strong>It is not known what blocked it.</strong> It may have been a success: then the buyer gets a number that
          is used up.
        </p>
      )}
      <Form submit="Lift" onSubmit={lift} onCancel={onClose}>
        <TextField name="reason" label="Reason" hint="For the audit log." value={reason} onChange={setReason} required />
      </Form>
    </Dialog>
  );
}

/** Lifts all marks that a partner left since a time, portion by portion. */
export function LiftMarks({ partnerId, name }: { partnerId: string; name: string }) {
  const [asking, setAsking] = useState(false);
  const [said, setSaid] = useState<string | null>(null);

  return (
    <section class="card">
      <h2>Marks on numbers</h2>
      <p>Its outcomes Prohibited and Canceled keep numbers from being sold again for their services.</p>
      <button type="button" onClick={() => setAsking(true)}>
        Lift marks since…
      </button>
      {said !== null && <Done>{said}</Done>}
      {asking && (
        <LiftSince
          partnerId={partnerId}
          name={name}
          onLifted={(lifted) => {
            setAsking(false);
            setSaid(`${plural(lifted, "mark")} lifted.`);
          }}
          onClose={() => setAsking(false)}
        />
      )}
    </section>
  );
}

interface LiftSinceProps {
  readonly partnerId: string;
  readonly name: string;
  readonly onLifted: (lifted: number) => void;
  readonly onClose: () => void;
}

function LiftSince({ partnerId, name, onLifted, onClose }: LiftSinceProps) {
  const [since, setSince] = useState(() => local(Date.now() - DAY));
  const [reason, setReason] = useState("");
  const [lifted, setLifted] = useState<number | null>(null);
  // Where it goes on after a failure, and what was lifted until then.
  const done = useRef<{ key: string; cursor: string | null; lifted: number } | null>(null);
  const open = useRef(true);
  useEffect(() => () => void (open.current = false), []);

  const lift = async () => {
    const moment = new Date(since);
    if (Number.isNaN(moment.getTime())) throw new FieldErrors({ since: "A day and a time" });
    const body = { since: moment.toISOString(), reason: stated(reason) };
    if (done.current?.key !== body.since) done.current = { key: body.since, cursor: null, lifted: 0 };
    const total = done.current;
    do {
      setLifted(total.lifted);
      const path = { partnerId };
      const answer = await api.post("/admin/partners/{partnerId}/lift-marks", {
        path,
        body: { ...body, cursor: total.cursor },
      });
      total.lifted += answer.lifted;
      total.cursor = answer.cursor;
      // Whoever closes the dialog wants no more.
      if (!open.current) return;
    } while (total.cursor !== null);
    announce(`${plural(total.lifted, "mark")} lifted`);
    onLifted(total.lifted);
  };

  return (
    <Dialog title="Lift marks?" onClose={onClose}>
      <p>
        What Prohibited and Canceled of <bdi>{name}</bdi> left on numbers goes, of activations that began since then. Those
        numbers are sold again, unless others block them too. That can't be undone.
      </p>
      <div class="destructive">
        <Form submit="Lift marks" onSubmit={lift} onCancel={onClose}>
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
          <TextField name="reason" label="Reason" hint="For the audit log." value={reason} onChange={setReason} required />
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

function stated(reason: string): string {
  if (!reason.trim()) throw new FieldErrors({ reason: "Why they are lifted" });
  return reason.trim();
}

/** Give a time (ms) as a field for a day and a time in the operator's zone wants it. */
function local(at: number): string {
  const moment = new Date(at);
  return new Date(at - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
