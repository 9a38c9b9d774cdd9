import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useStore } from "../../store";
import { ExchangeDetails } from "../../components/exchange-details";
import { type CallName, trial } from "./trial";

const TITLES: Readonly<Record<CallName, string>> = {
  key: "Issuing the key",
  stock: "GET_SERVICES",
  number: "GET_NUMBER",
  source: "Creating the source",
  sms: "Delivering the SMS",
  outcome: "FINISH_ACTIVATION",
};

interface StepProps {
  readonly at: number;
  readonly title: string;
  /** The calls that belong to it. */
  readonly calls: readonly CallName[];
  readonly isNext: boolean;
  readonly children: ComponentChildren;
}

export function Step({ at, title, calls, isNext, children }: StepProps) {
  const { exchanges } = useStore(trial);
  const heading = useRef<HTMLHeadingElement>(null);
  const wasNext = useRef(isNext);

  useEffect(() => {
    // The form of the step before is gone, and the focus with it.
    if (isNext && !wasNext.current && document.activeElement === document.body) heading.current?.focus();
    wasNext.current = isNext;
  }, [isNext]);

  return (
    <section class={`card step${isNext ? " next" : ""}`} aria-labelledby={`step-${at}`}>
      <h2 id={`step-${at}`} ref={heading} tabIndex={-1}>
        {at}. {title}
      </h2>
      {children}
      {calls.map((name) => {
        const exchange = exchanges[name];
        return exchange && <ExchangeDetails key={name} title={TITLES[name]} exchange={exchange} />;
      })}
    </section>
  );
}
