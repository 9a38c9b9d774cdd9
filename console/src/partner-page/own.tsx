import type { ComponentChildren } from "preact";
import { useStore } from "../store";
import { errors, extraCodes, inWords, taken } from "./forms";
import { holder } from "./key";

/** What the partner has otherwise than the rest of the page says, or that it has nothing. */
export function OwnDialect() {
  const held = useStore(holder);
  const forms = held?.forms;
  if (!forms) {
    return (
      <p>
        Hubs differ in details, such as JSON types and errors. What this page shows are the usual forms.{" "}
        <strong>
          With <a href="#key">your key</a> it shows yours instead.
        </strong>
      </p>
    );
  }
  return (
    <>
      <p>
        Your key gets the forms of <strong>{forms.title}</strong>. They are also in the examples below.
      </p>
      <dl>
        {inWords(forms).map(([about, words]) => (
          <div key={about}>
            <dt>{about}</dt>
            <dd>
              <Words text={words} />
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}

export function OwnErrors() {
  const forms = useStore(holder)?.forms;
  if (!forms) return null;
  return (
    <p>
      <Words text={errors(forms)} /> The texts are for you to read, and may change.
    </p>
  );
}

export function OwnTaking() {
  const forms = useStore(holder)?.forms;
  if (!forms) return null;
  return (
    <p>
      <Words text={taken(forms)} />
    </p>
  );
}

export function OwnOutcomes() {
  const forms = useStore(holder)?.forms;
  const codes = forms ? extraCodes(forms.switches.outcomes) : "";
  return codes ? (
    <p>
      <Words text={codes} />
    </p>
  ) : null;
}

/** A text in which what is between backticks is code. */
function Words({ text }: { text: string }): ComponentChildren {
  return text.split("`").map((part, at) => (at % 2 ? <code key={at}>{part}</code> : part));
}
