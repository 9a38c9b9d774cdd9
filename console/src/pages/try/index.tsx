import { Head } from "../../components/head";
import { hrefTo } from "../../router";
import { useStore } from "../../store";
import type { Page } from "../page";
import { Arrivals } from "./arrivals";
import { FinishForm } from "./finish-form";
import { KeyForm } from "./key-form";
import { NumberForm, RefreshStock } from "./number-form";
import { SmsForm } from "./sms-form";
import { Step } from "./step";
import { TestData } from "./test-data";
import { NAME, trial } from "./trial";

export const tryIt: Page = {
  route: "/try",
  title: "Try it",
  menu: "Try it",
  when: (config) => config.tryIt,
  view: TryIt,
};

/** Stands in its place where a deployment has it off. */
export const tryItIsOff: Page = { route: "/try", title: "Try it", when: (config) => !config.tryIt, view: Off };

function Off() {
  return (
    <>
      <Head title="Try it" />
      <p class="empty">
        This page is off on this stack. The deployment's parameter <code>TryIt</code> turns it on.
      </p>
    </>
  );
}

function TryIt() {
  const { key, partnerId, activation } = useStore(trial);
  const isLive = activation !== null && activation.outcome === null;
  const isSmsNext = isLive && activation.sent === 0;
  return (
    <>
      <Head title="Try it" />
      <p class="lead">
        Play a partner and a phone: take a number, send it an SMS, see it arrive. Everything here is real: numbers come
        from stock, and activations count.
      </p>
      <TestData />
      <Step at={1} title="Be a partner" calls={["key", "stock"]} isNext={key === null}>
        {key === null ? (
          <KeyForm />
        ) : (
          <p>Calls use the key of {partnerId === null ? "a partner you know" : `the partner “${NAME}”`}.</p>
        )}
      </Step>
      <Step at={2} title="Take a number" calls={["number"]} isNext={key !== null && activation === null}>
        <NumberStep />
      </Step>
      <Step at={3} title="Send an SMS to it" calls={["source", "sms"]} isNext={isSmsNext}>
        {activation === null ? <NoNumber /> : <SmsForm activation={activation} />}
      </Step>
      <Step at={4} title="See it arrive" calls={[]} isNext={false}>
        {activation === null || key === null ? (
          <NoNumber />
        ) : (
          <Arrivals key={activation.activationId} apiKey={key} activation={activation} />
        )}
      </Step>
      <Step
        at={5}
        title="Finish the activation"
        calls={["outcome"]}
        isNext={activation !== null && !isSmsNext}
      >
        {activation === null ? <NoNumber /> : <FinishForm activation={activation} />}
      </Step>
    </>
  );
}

function NumberStep() {
  const { key, stock, activation } = useStore(trial);
  if (key === null) return <p class="quiet">You need a key first.</p>;
  if (stock === null) return <RefreshStock />;
  if (activation === null) return <NumberForm key={[...stock.keys()].join()} stock={stock} />;
  return (
    <p>
      <strong>{activation.phone}</strong> is yours for {activation.service}:{" "}
      <a href={hrefTo("activations", activation.activationId)}>activation {activation.activationId}</a>.
    </p>
  );
}

function NoNumber() {
  return <p class="quiet">You need a number first.</p>;
}
