import { useState } from "preact/hooks";
import { Copyable } from "../components/copyable";
import { Failure } from "../components/status";
import { useStore } from "../store";
import { hold, holder, link, openLink, readOwn } from "./key";
import { Input } from "./input";

/** The key that the page's requests are sent with: from a link, or typed. */
export function KeyCard() {
  const held = useStore(holder);
  const opened = useStore(link);
  const [typed, setTyped] = useState("");
  const [isAsked, setAsked] = useState(false);
  // What came by a link can't be had again.
  const isShown = isAsked || opened === "opened";

  return (
    <>
      <LinkState />
      {held ? (
        <>
          <p>
            Requests that you try here use the key of {held.name === null ? "your own" : <bdi>{held.name}</bdi>}. It is
            kept in this tab until you close it, and sent in the body of requests only.
          </p>
          {isShown && <Copyable label="Key" value={held.key} />}
          <div class="buttons">
            {!isShown && (
              <button type="button" onClick={() => setAsked(true)}>
                Show the key
              </button>
            )}
            <button
              type="button"
              onClick={() => {
                hold(null);
                setAsked(false);
                link.set(null);
              }}
            >
              Forget the key
            </button>
          </div>
        </>
      ) : (
        <form
          noValidate
          aria-label="Your key"
          onSubmit={(event) => {
            event.preventDefault();
            const key = typed.trim();
            if (key) {
              hold({ key, name: null, forms: null, names: null });
              void readOwn();
            }
            setTyped("");
          }}
        >
          <Input
            id="typed-key"
            label="Key"
            hint="It stays in this tab: it is never part of an address, and gone when you close the tab."
            type="password"
            value={typed}
            onChange={setTyped}
          />
          <div class="buttons">
            <button type="submit" class="primary">
              Use this key
            </button>
          </div>
        </form>
      )}
    </>
  );
}

function LinkState() {
  const opened = useStore(link);
  if (opened === null) return null;
  if (opened === "opening") return <p role="status">Opening your link…</p>;
  if (opened === "opened") {
    return (
      <p class="done" role="status">
        This is your key. The link is used up: copy the key now, to where your program reads it.
      </p>
    );
  }
  if (opened === "gone") {
    return <Failure text="This link was used, replaced, or is older than 24 hours. Ask who sent it for another one." />;
  }
  return <Failure text={opened.failed} onRetry={() => void openLink(opened.token)} />;
}
