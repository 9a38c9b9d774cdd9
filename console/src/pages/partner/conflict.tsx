import { useLayoutEffect, useRef } from "preact/hooks";
import type { Schemas } from "../../api";
import { type Draft, draftOf, offerInWords, servicesInWords } from "./draft";
import { overridesInWords } from "./switches";

/** A field that somebody else has changed. */
export interface FieldChange {
  readonly label: string;
  readonly was: string;
  readonly now: string;
  /** What was typed here instead, null if nothing was. */
  readonly typed: string | null;
}

type Partner = Schemas["PartnerView"];

const FIELDS: readonly (readonly [label: string, inWords: (draft: Draft) => string])[] = [
  ["Name", (draft) => draft.name],
  ["Push URL", (draft) => draft.pushUrl || "None"],
  ["Allowed services", (draft) => servicesInWords(draft.services)],
  ["Dialect", (draft) => draft.dialect],
  ["Overrides", (draft) => overridesInWords(draft.overrides)],
  ["Most live activations", (draft) => draft.maxLive || "Default"],
  ["Offer", (draft) => offerInWords(draft.offer)],
];

/** Return the fields that others have changed, with what the draft has in them. */
export function changesBetween(before: Partner, now: Partner, draft: Draft): readonly FieldChange[] {
  const [was, is] = [draftOf(before), draftOf(now)];
  return FIELDS.filter(([, inWords]) => inWords(was) !== inWords(is)).map(([label, inWords]) => ({
    label,
    was: inWords(was),
    now: inWords(is),
    typed: inWords(draft) === inWords(was) || inWords(draft) === inWords(is) ? null : inWords(draft),
  }));
}

interface ConflictProps {
  readonly changes: readonly FieldChange[];
  readonly isEdited: boolean;
  readonly onTakeTheirs: () => void;
}

export function Conflict({ changes, isEdited, onTakeTheirs }: ConflictProps) {
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => element.current?.focus(), [changes]);
  return (
    <div class="conflict" role="alert" tabIndex={-1} ref={element}>
      <p>
        <strong>Someone else has changed this partner in the meantime.</strong> Your changes are not saved yet.
      </p>
      <dl>
        {changes.map(({ label, was, now, typed }) => (
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
      {isEdited ? (
        <>
          <p>Saving applies what you typed and keeps the rest as it is now.</p>
          <button type="button" onClick={onTakeTheirs}>
            Take theirs
          </button>
        </>
      ) : (
        <p>What you typed is already saved.</p>
      )}
    </div>
  );
}
