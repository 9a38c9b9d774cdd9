import { useEffect, useState } from "preact/hooks";
import { api } from "../../api";
import { announce } from "../../components/announce";
import { FieldErrors, Form, TextField } from "../../components/form";
import { Time } from "../../components/time";
import { useData } from "../../data";
import { ApiError } from "../../http";
import { type Test, TEST_FOR, isOver } from "../../number-test";
import { NO_PHONE, digitsIn, isPhone } from "../../phones";
import { Arrivals } from "./arrivals";

interface NumberTestProps {
  readonly sourceId: string;
  /** Called when the time is over. */
  readonly onEnded: () => void;
}

/** Takes a number off sale for a while, and shows what a real SMS to it is read as. */
export function NumberTest({ sourceId, onEnded }: NumberTestProps) {
  const [test, setTest] = useState<Test | null>(null);
  return (
    <section class="card" aria-labelledby="test">
      <h2 id="test">Watch for a test</h2>
      <p>
        A number is taken off sale for 5 minutes. Send it an SMS from a telephone: here you see when it arrives and what is
        read of it. It is pushed to nobody. That you see its text is recorded in the audit log.
      </p>
      {test === null ? (
        <StartForm sourceId={sourceId} onStarted={setTest} />
      ) : (
        <Watch key={test.since} test={test} sourceId={sourceId} onEnded={onEnded} onClose={() => setTest(null)} />
      )}
    </section>
  );
}

function StartForm({ sourceId, onStarted }: { sourceId: string; onStarted: (test: Test) => void }) {
  const [phone, setPhone] = useState("");
  const lines = useData((signal) => api.get("/admin/sources/{sourceId}/lines", { path: { sourceId }, signal }), [sourceId]);
  const known = (lines.value?.lines ?? []).flatMap((line) => (line.phone === null ? [] : [line.phone]));

  const start = async () => {
    const number = digitsIn(phone);
    if (!isPhone(number)) throw new FieldErrors({ phone: NO_PHONE });
    onStarted(await begin(number));
    announce(`Watching for an SMS to ${number}`);
  };

  return (
    <Form submit="Watch" deed="post /admin/numbers/{phone}/test" onSubmit={start} label="Watch for a test">
      <TextField
        name="phone"
        label="Number"
        hint="One that is on sale and free: of this source's lines, or any other that it delivers for."
        value={phone}
        onChange={setPhone}
        inputMode="tel"
        known={known}
      />
    </Form>
  );
}

/** Take a number off sale. Throws FieldErrors when it can't be tried out, ApiError. */
async function begin(phone: string): Promise<Test> {
  try {
    const number = await api.post("/admin/numbers/{phone}/test", { path: { phone } });
    // The stack's clock: by it is told what came after this.
    const until = Date.parse(number.restingUntil ?? "");
    return { phone: number.phone, since: until - TEST_FOR, endsAt: Date.now() + TEST_FOR };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 404) throw new FieldErrors({ phone: "It is not one of our numbers." });
    if (error.status !== 409) throw error;
    throw new FieldErrors({ phone: "It is not free now: it is sold, rests after a sale, or is withdrawn." });
  }
}

interface WatchProps {
  readonly test: Test;
  readonly sourceId: string;
  readonly onEnded: () => void;
  readonly onClose: () => void;
}

function Watch({ test, sourceId, onEnded, onClose }: WatchProps) {
  const over = useOver(test);
  useEffect(() => {
    if (over) onEnded();
  }, [over]);
  return (
    <>
      <p>
        <strong>{test.phone}</strong> — off sale until <Time at={test.endsAt} short />.{" "}
        {over ? "The time is over." : <Countdown until={test.endsAt} />}
      </p>
      <Arrivals test={test} over={over} sourceId={sourceId} />
      <div class="buttons">
        <button type="button" onClick={onClose}>
          {over ? "Watch again" : "Stop watching"}
        </button>
      </div>
      {!over && <p class="quiet">The number stays off sale until then, whether you watch or not.</p>}
    </>
  );
}

function useOver(test: Test): boolean {
  const [over, setOver] = useState(() => isOver(test));
  useEffect(() => {
    // Each second, not once at the end: a telephone that sleeps holds timers back.
    const timer = setInterval(() => setOver(isOver(test)), 1_000);
    return () => clearInterval(timer);
  }, [test]);
  return over;
}

function Countdown({ until }: { until: number }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const left = Math.max(0, Math.ceil((until - now) / 1_000));
  return (
    <span role="timer" class="whole">
      {Math.floor(left / 60)}:{String(left % 60).padStart(2, "0")} left
    </span>
  );
}
