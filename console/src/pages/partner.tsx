import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError, type Schemas, api, message } from "../api";
import { announce } from "../components/announce";
import { Badge } from "../components/badge";
import { Confirm, Dialog } from "../components/dialog";
import { FieldErrors, Form, TextField } from "../components/form";
import { HiddenText } from "../components/hidden-text";
import { Listing, Rows } from "../components/listing";
import { ActivationOutcome, PushOutcome } from "../components/outcome";
import { Secret } from "../components/secret";
import { Done, Failure, Loaded, Updated } from "../components/status";
import { Time } from "../components/time";
import { usePolling } from "../data";
import { count, share } from "../figures";
import { Head, useTitle } from "../layout";
import { hrefTo } from "../router";
import { SignedOut } from "../session";
import { LiftMarks } from "./marks";
import type { Page } from "./page";
import { PartnerFields, type Typed, changesIn, check, servicesInWords, typedOf } from "./partner-fields";
import { PartnerState, PushUrl } from "./partners";

type Partner = Schemas["PartnerView"];
type Activation = Schemas["ActivationView"];
type Failed = Schemas["FailedAttempt"];

export const partner: Page = { route: "/partners/:partnerId", title: "Partner", view: PartnerPage };

// How often it is looked at what others change, and how pushing goes (s).
const READ_EVERY = 15;
const CONFLICT = 409;

function PartnerPage({ params }: { params: Readonly<Record<string, string>> }) {
  const partnerId = params["partnerId"] ?? "";
  const read = usePolling((signal) => readPartner(partnerId, signal), READ_EVERY, [partnerId]);

  if (read.value === undefined && read.status === 404) {
    return (
      <Head title="No such partner">
        <a href={hrefTo("partners")}>All partners</a>
      </Head>
    );
  }
  return <Loaded data={read}>{(known) => <OnePartner known={known} onChanged={read.reload} />}</Loaded>;
}

function readPartner(partnerId: string, signal?: AbortSignal): Promise<Partner> {
  return api.get("/admin/partners/{partnerId}", { path: { partnerId }, signal });
}

function OnePartner({ known, onChanged }: { known: Partner; onChanged: () => void }) {
  useTitle(known.name);
  return (
    <>
      <Head title={<bdi>{known.name}</bdi>}>
        <a href={hrefTo("partners")}>All partners</a>
      </Head>
      <Facts partner={known} />
      <div class="two-columns">
        {!known.revoked && <Settings known={known} onChanged={onChanged} />}
        <div>
          {!known.revoked && <Selling partner={known} onChanged={onChanged} />}
          {!known.revoked && <TestPush partner={known} />}
          {!known.revoked && <Keys partner={known} onChanged={onChanged} />}
          <LiftMarks partnerId={known.partnerId} name={known.name} />
        </div>
      </div>
      <Backlog partnerId={known.partnerId} inTrouble={known.inTrouble} />
      <Sales partnerId={known.partnerId} />
    </>
  );
}

function Facts({ partner: known }: { partner: Partner }) {
  return (
    <dl class="partner-facts">
      <Fact name="State">
        <PartnerState partner={known} />
      </Fact>
      <Fact name="Id">
        <code>{known.partnerId}</code>
      </Fact>
      <Fact name="Issued">
        <Time at={known.createdAt} />
      </Fact>
      <Fact name="Last took a push">{known.lastSuccessAt ? <Time at={known.lastSuccessAt} /> : "Never"}</Fact>
      {known.slowUntil && (
        <Fact name="Counts as slow until">
          <Time at={known.slowUntil} />
        </Fact>
      )}
      <Fact name="Pushes">
        {known.signed ? "Signed" : "Not signed"}
        {known.pushUrlIsPlainHttp && (
          <>
            {" "}
            <Badge tone="warn">Plain http</Badge> The key can be read on its way.
          </>
        )}
      </Fact>
      {known.revoked && (
        <>
          <Fact name="Push URL">
            <PushUrl partner={known} />
          </Fact>
          <Fact name="Services">{servicesInWords(known.services)}</Fact>
          <Fact name="Most live activations">{known.maxLive ?? "As deployed"}</Fact>
        </>
      )}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

// ---------------------------------------------------------------- settings, which another operator may be changing too

const FIELDS: readonly (readonly [label: string, inWords: (typed: Typed) => string])[] = [
  ["Name", (typed) => typed.name],
  ["Push URL", (typed) => typed.pushUrl || "None"],
  ["Allowed services", (typed) => servicesInWords(typed.services)],
  ["Dialect", (typed) => typed.dialect],
  ["Most live activations", (typed) => typed.maxLive || "As deployed"],
];

/** A field that another operator has changed. */
interface Changed {
  readonly label: string;
  readonly was: string;
  readonly now: string;
  /** What was typed here instead, null if nothing was. */
  readonly typed: string | null;
}

function Settings({ known, onChanged }: { known: Partner; onChanged: () => void }) {
  // What the form began with; what is typed is compared with it.
  const [base, setBase] = useState(known);
  const [typed, setTyped] = useState(() => typedOf(known));
  const [changed, setChanged] = useState<readonly Changed[]>([]);
  const [done, setDone] = useState<string | null>(null);
  const isTouched = Object.keys(changesIn(typed, typedOf(base))).length > 0;

  const beginWith = (partner: Partner) => {
    setBase(partner);
    setTyped(typedOf(partner));
    setChanged([]);
  };

  useEffect(() => {
    // Others' changes just appear, as long as nothing is typed that they would take away.
    if (known.version > base.version && !isTouched) beginWith(known);
  }, [known]);

  const save = async () => {
    setDone(null);
    check(typed);
    const changes = changesIn(typed, typedOf(base));
    if (Object.keys(changes).length === 0) {
      setChanged([]);
      setDone("There is nothing to save.");
      return;
    }
    const path = { partnerId: base.partnerId };
    try {
      beginWith(await api.patch("/admin/partners/{partnerId}", { path, body: { ...changes, version: base.version } }));
      setDone("Saved.");
      onChanged();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== CONFLICT) throw error;
      const now = await readPartner(base.partnerId);
      if (now.revoked) onChanged();
      if (now.revoked || now.version === base.version) throw error;
      setChanged(changesOfOthers(base, now, typed));
      // What was typed stays, to be saved over theirs; the rest of the form is theirs.
      setTyped({ ...typedOf(now), ...typedAmong(changes, typed) });
      setBase(now);
    }
  };

  return (
    <section class="card">
      <h2>Settings</h2>
      <Form submit={changed.length ? "Save mine" : "Save"} onSubmit={save} label="Settings">
        <PartnerFields
          typed={typed}
          onChange={(now) => {
            setTyped(now);
            setDone(null);
          }}
        />
        {changed.length > 0 && (
          <Conflict
            changed={changed}
            isTouched={isTouched}
            onTakeTheirs={() => {
              beginWith(base);
              onChanged();
              announce("The form shows what is saved");
            }}
          />
        )}
        {done !== null && <Done>{done}</Done>}
      </Form>
    </section>
  );
}

/** Give what was typed for the fields that are to be changed. */
function typedAmong(changes: object, typed: Typed): Partial<Typed> {
  return Object.fromEntries(Object.entries(typed).filter(([name]) => name in changes));
}

function changesOfOthers(before: Partner, now: Partner, typed: Typed): readonly Changed[] {
  const [was, is] = [typedOf(before), typedOf(now)];
  return FIELDS.filter(([, inWords]) => inWords(was) !== inWords(is)).map(([label, inWords]) => ({
    label,
    was: inWords(was),
    now: inWords(is),
    typed: inWords(typed) === inWords(was) || inWords(typed) === inWords(is) ? null : inWords(typed),
  }));
}

interface ConflictProps {
  readonly changed: readonly Changed[];
  readonly isTouched: boolean;
  readonly onTakeTheirs: () => void;
}

function Conflict({ changed, isTouched, onTakeTheirs }: ConflictProps) {
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => element.current?.focus(), [changed]);
  return (
    <div class="conflict" role="alert" tabIndex={-1} ref={element}>
      <p>
        <strong>Another operator has changed this partner meanwhile.</strong> Nothing of yours is saved yet.
      </p>
      <dl>
        {changed.map(({ label, was, now, typed }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              was <bdi>{was}</bdi>
            </dd>
            <dd>
              is now <bdi>{now}</bdi>
            </dd>
            {typed !== null && (
              <dd>
                you typed <bdi>{typed}</bdi>
              </dd>
            )}
          </div>
        ))}
      </dl>
      {isTouched ? (
        <>
          <p>Saving puts what you typed over it, and leaves the rest as it is now.</p>
          <button type="button" onClick={onTakeTheirs}>
            Take theirs
          </button>
        </>
      ) : (
        <p>What you typed is saved already.</p>
      )}
    </div>
  );
}

// ---------------------------------------------------------------- paused or not

function Selling({ partner: known, onChanged }: { partner: Partner; onChanged: () => void }) {
  const [asked, setAsked] = useState<"pause" | "resume" | null>(null);
  const close = () => setAsked(null);

  const resume = async () => {
    await api.delete("/admin/partners/{partnerId}/pause", { path: { partnerId: known.partnerId } });
    onChanged();
    announce(`${known.name} is sold to again`);
  };

  return (
    <section class="card">
      <h2>Selling</h2>
      {known.paused ? (
        <dl class="partner-facts">
          <Fact name="Paused since">
            <Time at={known.paused.at} />
          </Fact>
          <Fact name="Reason">
            <bdi>{known.paused.reason}</bdi>
          </Fact>
        </dl>
      ) : (
        <p class="quiet">A partner that is paused is sold nothing. Whatever it has bought goes on.</p>
      )}
      <div class="buttons">
        <button type="button" onClick={() => setAsked("pause")}>
          {known.paused ? "Change the reason" : "Pause"}
        </button>
        {known.paused && (
          <button type="button" onClick={() => setAsked("resume")}>
            Resume
          </button>
        )}
      </div>
      {asked === "pause" && <Pause partner={known} onPaused={onChanged} onClose={close} />}
      {asked === "resume" && (
        <Confirm title="Resume this partner?" action="Resume" onConfirm={resume} onClose={close}>
          <p>It is sold to again within a minute.</p>
        </Confirm>
      )}
    </section>
  );
}

interface PauseProps {
  readonly partner: Partner;
  readonly onPaused: () => void;
  readonly onClose: () => void;
}

function Pause({ partner: known, onPaused, onClose }: PauseProps) {
  const [reason, setReason] = useState(known.paused?.reason ?? "");

  const pause = async () => {
    if (!reason.trim()) throw new FieldErrors({ reason: "Why it is paused" });
    const path = { partnerId: known.partnerId };
    await api.post("/admin/partners/{partnerId}/pause", { path, body: { reason: reason.trim() } });
    onClose();
    onPaused();
    announce(`${known.name} is paused`);
  };

  return (
    <Dialog title={known.paused ? "Why is this partner paused?" : "Pause this partner?"} onClose={onClose}>
      <p>Within a minute its counts are 0 and it gets no numbers. SMS, pushes and outcomes of what it has bought go on.</p>
      <Form submit={known.paused ? "Save" : "Pause"} onSubmit={pause} onCancel={onClose}>
        <TextField name="reason" label="Reason" hint="For operators only." value={reason} onChange={setReason} required />
      </Form>
    </Dialog>
  );
}

// ---------------------------------------------------------------- test push

function TestPush({ partner: known }: { partner: Partner }) {
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState<Schemas["TestPushResult"] | null>(null);
  const [failed, setFailed] = useState<string | null>(null);

  const push = async () => {
    if (busy) return;
    setBusy(true);
    setTried(null);
    setFailed(null);
    try {
      const path = { partnerId: known.partnerId };
      setTried(await api.post("/admin/partners/{partnerId}/test-push", { path }));
    } catch (error) {
      if (!(error instanceof SignedOut)) setFailed(message(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <section class="card">
      <h2>Test push</h2>
      {known.pushUrl === null ? (
        <p class="quiet">There is no Push URL yet.</p>
      ) : (
        <>
          <p>
            Pushes a made-up SMS once to <PushUrl partner={known} />
          </p>
          <button type="button" aria-disabled={busy} onClick={() => void push()}>
            {busy ? "Pushing…" : "Send test push"}
          </button>
        </>
      )}
      {failed !== null && <Failure text={failed} />}
      <div role="status">{tried && <Tried result={tried} />}</div>
    </section>
  );
}

function Tried({ result }: { result: Schemas["TestPushResult"] }) {
  return (
    <dl class="partner-facts result">
      <Fact name="Delivered">{result.delivered ? "Yes" : "No"}</Fact>
      <Fact name="Outcome">
        <PushOutcome outcome={result.outcome} />
      </Fact>
      <Fact name="HTTP status">{result.httpStatus ?? "None"}</Fact>
      <Fact name="Duration">{result.durationMs} ms</Fact>
      <Fact name="Answer">
        <Answer text={result.answer} />
      </Fact>
    </dl>
  );
}

/** The beginning of what a partner answered, null while it is hidden. */
function Answer({ text }: { text: string | null }) {
  if (text === null) return <span class="quiet">Hidden</span>;
  return text ? <code class="foreign">{text}</code> : <span class="quiet">Empty</span>;
}

// ---------------------------------------------------------------- key, signing secret, revocation

type Asked = "key" | "secret" | "unsign" | "revoke";

function Keys({ partner: known, onChanged }: { partner: Partner; onChanged: () => void }) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const [made, setMade] = useState<{ label: string; value: string; note: string } | null>(null);
  const path = { partnerId: known.partnerId };
  const close = () => setAsked(null);
  // The question goes as its answer comes, so that the focus finds back to the button that asked.
  const show = (label: string, value: string, note: string) => {
    close();
    setMade({ label, value, note });
    onChanged();
  };

  const rotateKey = async () => {
    const { key } = await api.post("/admin/partners/{partnerId}/rotate-key", { path });
    show("Key", key, "The former key stops working within a minute.");
  };
  const newSecret = async () => {
    const { signingSecret } = await api.post("/admin/partners/{partnerId}/signing-secret", { path });
    const note = known.signed ? "The former one goes on signing beside it for 24 hours." : "Pushes are signed from now on.";
    show("Signing secret", signingSecret, note);
  };
  const removeSecrets = async () => {
    await api.delete("/admin/partners/{partnerId}/signing-secret", { path });
    announce("Pushes are not signed any more");
    onChanged();
  };

  return (
    <section class="card">
      <h2>Key and signature</h2>
      <p class="quiet">Keys and secrets can't be read again. A new one takes the place of one that was lost.</p>
      <div class="buttons">
        <button type="button" onClick={() => setAsked("key")}>
          Rotate the key
        </button>
        <button type="button" onClick={() => setAsked("secret")}>
          New signing secret
        </button>
        {known.signed && (
          <button type="button" onClick={() => setAsked("unsign")}>
            Stop signing
          </button>
        )}
        <button type="button" class="danger" onClick={() => setAsked("revoke")}>
          Revoke
        </button>
      </div>
      {asked === "key" && (
        <Confirm title="Rotate the key?" action="Rotate the key" onConfirm={rotateKey} onClose={close}>
          <p>The partner gets a new key. The one it has stops working within a minute.</p>
        </Confirm>
      )}
      {asked === "secret" && (
        <Confirm title="Make a new signing secret?" action="Make a new one" onConfirm={newSecret} onClose={close}>
          <p>
            {known.signed
              ? "Pushes are signed with the new secret, and with the former one beside it for 24 hours."
              : "From then on every push is signed."}
          </p>
        </Confirm>
      )}
      {asked === "unsign" && (
        <Confirm title="Stop signing?" action="Stop signing" onConfirm={removeSecrets} onClose={close}>
          <p>Pushes are no longer signed, at once. A partner that checks signatures will refuse them.</p>
        </Confirm>
      )}
      {asked === "revoke" && <Revoke partner={known} onRevoked={onChanged} onClose={close} />}
      {made && (
        <Dialog title={`${made.label} made`} onClose={() => setMade(null)}>
          <p>{made.note}</p>
          <Secret label={made.label} value={made.value} />
          <div class="buttons">
            <button type="button" class="primary" onClick={() => setMade(null)}>
              I have copied it
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

interface RevokeProps {
  readonly partner: Partner;
  readonly onRevoked: () => void;
  readonly onClose: () => void;
}

function Revoke({ partner: known, onRevoked, onClose }: RevokeProps) {
  const [name, setName] = useState("");

  const revoke = async () => {
    if (name.trim() !== known.name) throw new FieldErrors({ confirmation: "This is not its name." });
    await api.delete("/admin/partners/{partnerId}", { path: { partnerId: known.partnerId } });
    onClose();
    onRevoked();
    announce(`${known.name} is revoked`);
  };

  return (
    <Dialog title="Revoke this partner?" onClose={onClose}>
      <p>
        The key of <strong><bdi>{known.name}</bdi></strong> stops working within a minute, and nothing is pushed to it any
        more. That can't be undone.
      </p>
      <div class="destructive">
        <Form submit="Revoke for good" onSubmit={revoke} onCancel={onClose}>
          <TextField name="confirmation" label="Type the partner's name" value={name} onChange={setName} required />
        </Form>
      </div>
    </Dialog>
  );
}

// ---------------------------------------------------------------- how pushing goes, and what was sold

function keyOf(failed: Failed): string {
  return `${failed.activationId}/${failed.smsId}/${failed.number}/${failed.at}`;
}

function Backlog({ partnerId, inTrouble }: { partnerId: string; inTrouble: boolean }) {
  const read = usePolling(
    (signal) =>
      api.get("/admin/partners/{partnerId}/activity", { path: { partnerId }, query: { texts: "hidden" }, signal }),
    READ_EVERY,
    [partnerId],
  );
  const [answers, setAnswers] = useState<ReadonlyMap<string, string>>(new Map());
  const showAnswers = async () => {
    const shown = await api.get("/admin/partners/{partnerId}/activity", {
      path: { partnerId },
      query: { texts: "shown" },
    });
    setAnswers((known) => new Map([...known, ...shown.failures.map((failed) => [keyOf(failed), failed.answer ?? ""] as const)]));
    announce("The answers are shown");
  };
  return (
    <section>
      <h2>Pushes</h2>
      <Loaded data={read}>
        {(activity) => (
          <>
            <p>
              {activity.waiting === 0 ? (
                "No SMS waits to be pushed"
              ) : (
                <>
                  <Badge tone={inTrouble ? "bad" : "warn"}>{activity.waiting} waiting</Badge>
                  {activity.oldestPendingAt && (
                    <>
                      , the oldest since <Time at={activity.oldestPendingAt} />
                    </>
                  )}
                </>
              )}
              {activity.measuredAt ? (
                <span class="quiet">
                  {" "}
                  — measured <Time at={activity.measuredAt} short />
                </span>
              ) : (
                <span class="quiet"> — not measured yet</span>
              )}
            </p>
            {activity.failures.length === 0 ? (
              <p class="empty">No push failed in its last 25 activations.</p>
            ) : (
              <Rows<Failed>
                caption="Last errors"
                rows={activity.failures}
                keyOf={keyOf}
                columns={[
                  { title: "At", cell: (failed) => <Time at={failed.at} /> },
                  {
                    title: "Activation",
                    cell: (failed) => <a href={hrefTo("activations", failed.activationId)}>{failed.activationId}</a>,
                  },
                  { title: "Attempt", cell: (failed) => failed.number, number: true },
                  { title: "Outcome", cell: (failed) => <PushOutcome outcome={failed.outcome} /> },
                  { title: "HTTP status", cell: (failed) => failed.httpStatus ?? "None", number: true },
                  { title: "Duration", cell: (failed) => `${failed.durationMs} ms`, number: true },
                  { title: "Answer", cell: (failed) => <Answer text={answers.get(keyOf(failed)) ?? null} /> },
                ]}
              />
            )}
            {activity.failures.some((failed) => !answers.has(keyOf(failed))) && (
              <p>
                <HiddenText text={null} label="answers" onShow={showAnswers} />{" "}
                <span class="quiet">They may repeat an SMS. That you looked is recorded in the audit log.</span>
              </p>
            )}
            <h2>Outcomes of 24 hours</h2>
            <OutcomesOf {...activity.outcomes} />
            <Updated at={read.updatedAt} loading={read.loading} />
          </>
        )}
      </Loaded>
    </section>
  );
}

function OutcomesOf(outcomes: Schemas["OutcomesView"]) {
  const { prohibited, success, canceled, returned, delivered, takenBack } = outcomes;
  const finished = prohibited + success + canceled + returned;
  if (finished === 0) return <p class="empty">It has finished no activation.</p>;
  return (
    <dl class="partner-facts">
      <Fact name="Success">{count(success)}</Fact>
      <Fact name="Prohibited">{count(prohibited)}</Fact>
      <Fact name="Canceled">{count(canceled)}</Fact>
      <Fact name="Returned">{count(returned)}</Fact>
      <Fact name="Prohibited or canceled">{share(prohibited + canceled, finished)}</Fact>
      <Fact name="SMS taken, then taken back">
        {share(takenBack, delivered)} of {count(delivered)}
      </Fact>
      {outcomes.overLimit && (
        <Fact name="Limit">
          <Badge tone="bad">Over the limit</Badge>
        </Fact>
      )}
    </dl>
  );
}

function Sales({ partnerId }: { partnerId: string }) {
  return (
    <section>
      <h2>Sales</h2>
      <Listing<Activation>
        caption="Sales"
        deps={[partnerId]}
        every={READ_EVERY}
        load={async (cursor, signal) => {
          const page = await api.get("/admin/activations", { query: { partnerId, cursor }, signal });
          return { rows: page.activations, cursor: page.cursor };
        }}
        keyOf={(activation) => activation.activationId}
        columns={[
          { title: "Began", cell: (activation) => <Time at={activation.startedAt} /> },
          {
            title: "Activation",
            cell: (activation) => (
              <a href={hrefTo("activations", activation.activationId)}>{activation.activationId}</a>
            ),
          },
          { title: "Service", cell: (activation) => <code>{activation.service}</code> },
          {
            title: "Number",
            cell: (activation) => (
              <a class="whole" href={hrefTo("numbers", activation.phone)}>
                {activation.phone}
              </a>
            ),
          },
          {
            title: "Pool",
            cell: (activation) => (
              <>
                <bdi>{activation.country}</bdi> / <bdi>{activation.operator}</bdi>
              </>
            ),
          },
          { title: "Outcome", cell: (activation) => <ActivationOutcome activation={activation} /> },
        ]}
        empty="It has bought nothing yet."
      />
    </section>
  );
}
