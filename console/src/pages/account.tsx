import { useEffect, useState } from "preact/hooks";
import { useAction } from "../action";
import { api, askForTotpAgain, isTotpNeeded } from "../api";
import { SetUpAuthenticator } from "../components/authenticator";
import { Badge } from "../components/badge";
import { Confirm } from "../components/dialog";
import { Head } from "../components/head";
import { Failure, Loaded } from "../components/status";
import { useData } from "../data";
import { isSecondFactorOn, newSecret, turnOff, turnOn } from "../second-factor";
import { staff } from "../session";
import { useStore } from "../store";
import type { Page } from "./page";

// Reached by the name of who is signed in. The only page while the API wants a second factor first.
export const account: Page = { route: "/account", title: "Your account", view: Account };

// How often it is checked whether the API goes on (ms).
const CHECK_EVERY = 5_000;

function Account() {
  const name = useStore(staff) ?? "";
  const needed = useStore(isTotpNeeded);
  const isOn = useData(isSecondFactorOn, []);
  const me = useData((signal) => api.get("/admin/me", { signal }), []).value;

  useEffect(() => {
    if (!needed) return;
    const timer = setInterval(() => void askForTotpAgain(), CHECK_EVERY);
    return () => clearInterval(timer);
  }, [needed]);

  const changed = () => {
    isOn.reload();
    // The stack may want one that was just turned off, and may go on once it is there.
    void askForTotpAgain();
  };

  return (
    <>
      <Head title="Your account" />
      <p class="lead">
        Signed in as <bdi>{name}</bdi>
        {me && `, in the role ${me.role}`}.
      </p>
      <section class="card account" aria-labelledby="second-factor">
        <h2 id="second-factor">Second factor</h2>
        <Loaded data={isOn}>
          {(on) =>
            on ? <IsOn needed={needed} isRequired={me?.totpRequired ?? false} onChange={changed} /> : <IsOff name={name} needed={needed} onChange={changed} />
          }
        </Loaded>
      </section>
    </>
  );
}

function IsOn({ needed, isRequired, onChange }: { needed: boolean; isRequired: boolean; onChange: () => void }) {
  const [asking, setAsking] = useState(false);
  if (needed) return <p role="status">It is on. The console goes on in a moment.</p>;
  return (
    <>
      <p>
        <Badge tone="good">On</Badge> Sign-in asks for a code of your authenticator app after your password.
      </p>
      {isRequired ? (
        <p class="quiet">It is required of you. For another phone, ask an owner to remove it, then set it up there.</p>
      ) : (
        <>
          <p class="quiet">For another phone, turn it off, then set it up there.</p>
          <div class="buttons">
            <button type="button" onClick={() => setAsking(true)}>
              Turn off
            </button>
          </div>
        </>
      )}
      {asking && (
        <Confirm
          title="Turn off your second factor?"
          action="Turn off"
          onConfirm={async () => {
            await turnOff();
            onChange();
          }}
          onClose={() => setAsking(false)}
        >
          <p>From then on your password alone signs you in. Where a second factor is required, you set up another at once.</p>
        </Confirm>
      )}
    </>
  );
}

function IsOff({ name, needed, onChange }: { name: string; needed: boolean; onChange: () => void }) {
  const [secret, setSecret] = useState<string | null>(null);
  const start = useAction(async () => setSecret(await newSecret()));

  if (secret !== null) {
    return (
      <SetUpAuthenticator
        secret={secret}
        name={name}
        submit="Turn on"
        onCode={async (code) => {
          await turnOn(code);
          onChange();
        }}
        onCancel={() => setSecret(null)}
      />
    );
  }
  return (
    <>
      {needed ? (
        <p role="alert">
          <Badge tone="warn">Required</Badge> This console is for people with a second factor. Set yours up to go on.
        </p>
      ) : (
        <p>
          <Badge>Off</Badge> Your password alone signs you in. With an authenticator app, sign-in also asks for a code that
          only your phone shows.
        </p>
      )}
      {start.error !== null && <Failure text={start.error} />}
      <div class="buttons">
        <button type="button" class="primary" aria-disabled={start.busy} onClick={() => start.run()}>
          {start.busy ? "One moment…" : "Set up"}
        </button>
      </div>
    </>
  );
}
