import { useEffect, useRef } from "preact/hooks";
import { announce } from "../../components/announce";
import { Fact } from "../../components/facts";
import { Loaded } from "../../components/status";
import { Time } from "../../components/time";
import { usePolling } from "../../data";
import { duration, plural } from "../../figures";
import { type Test, TestReader, type TestSms } from "../../number-test";
import { hrefTo } from "../../router";

// How often is looked for what has come (s).
const LOOK_EVERY = 3;

interface ArrivalsProps {
  readonly test: Test;
  /** Whether the time is over: then it is looked once more. */
  readonly over: boolean;
  readonly sourceId: string;
}

/** What came in for a test. */
export function Arrivals({ test, over, sourceId }: ArrivalsProps) {
  const reader = useRef(new TestReader(test));
  const data = usePolling((signal) => reader.current.read(signal), over ? null : LOOK_EVERY, [test]);
  const arrived = data.value?.length ?? 0;
  useEffect(() => {
    if (arrived > 0) announce("An SMS has arrived");
  }, [arrived]);

  return (
    <Loaded data={data}>
      {(found) => (
        <>
          {found.map((sms) => (
            <Arrival key={sms.smsId} sms={sms} test={test} sourceId={sourceId} />
          ))}
          {found.length === 0 && !over && <p role="status">Waiting for an SMS…</p>}
          {found.length === 0 && (data.updatedAt ?? 0) >= test.endsAt && <NothingCame />}
        </>
      )}
    </Loaded>
  );
}

function Arrival({ sms, test, sourceId }: { sms: TestSms; test: Test; sourceId: string }) {
  // The API gives times to the second.
  const after = Date.parse(sms.arrivedAt) - test.since;
  return (
    <dl class="facts number-facts" aria-label="SMS that has arrived">
      <Fact name="Arrived">
        <Time at={sms.arrivedAt} />, {after < 1_000 ? "at once" : `${duration(after)} after the start`}
      </Fact>
      <Fact name="From">
        <bdi class="foreign">{sms.phoneFrom}</bdi>
      </Fact>
      <Fact name="Text">
        <span class="foreign">{sms.text}</span>
      </Fact>
      <Fact name="Number">{sms.phone}</Fact>
      <Fact name="Line">{sms.line === null ? "None named" : <span class="foreign">{sms.line}</span>}</Fact>
      <Fact name="Delay">{delayInWords(sms.delayMs)}</Fact>
      <Fact name="Identity">{sms.identity === null ? "None" : <span class="foreign">{sms.identity}</span>}</Fact>
      {sms.repeats > 0 && <Fact name="Came again">{plural(sms.repeats, "more time")}</Fact>}
      {sms.sourceId !== sourceId && (
        <Fact name="Source">
          <a href={hrefTo("sources", sms.sourceId)}>Another source</a>
        </Fact>
      )}
    </dl>
  );
}

/** How long an SMS took from when its gateway says to have received it (ms). */
function delayInWords(ms: number | null): string {
  if (ms === null) return "Unknown: the gateway stated no time";
  return ms < 0 ? `None: stated ${duration(-ms)} after it arrived, so a clock is wrong` : duration(ms);
}

function NothingCame() {
  useEffect(() => announce("Nothing came in 5 minutes"), []);
  return (
    <div class="failure">
      <p>
        <strong>Nothing came in 5 minutes.</strong> If the source was heard from meanwhile, see above, the SMS may be{" "}
        <a href={hrefTo("unclaimed", "waiting")}>waiting for its line</a> or{" "}
        <a href={hrefTo("unclaimed", "payloads")}>unreadable</a>. If not, the gateway does not reach us: check the address and
        the secret there.
      </p>
    </div>
  );
}
