import { type ComponentType, render } from "preact";
import { Announcer, announce } from "../components/announce";
import { config } from "../config";
import "../styles.css";
import { example } from "./forms";
import { holder, readOwn, takeLink } from "./key";
import { KeyCard } from "./key-card";
import { OwnNames } from "./names";
import { OwnDialect, OwnErrors, OwnOutcomes, OwnTaking } from "./own";
import "./page.css";
import { FinishTrial, GetsmsTrial, NumberTrial, ServicesTrial } from "./trials";

// First of all: the address may be copied, and what is in it kept.
if (!takeLink()) void readOwn();
addEventListener("hashchange", takeLink);

// Links such as #push are relative to the page's base, which ends with a slash.
const base = new URL(document.baseURI);
if (location.origin === base.origin && location.pathname !== base.pathname) {
  history.replaceState(null, "", `${base.pathname}${location.hash}`);
}

/** What stands for the URL in what was written when the page was built. */
const PLACEHOLDER = "https://api.example";

const PARTS: Readonly<Record<string, ComponentType>> = {
  key: KeyCard,
  services: ServicesTrial,
  number: NumberTrial,
  getsms: GetsmsTrial,
  finish: FinishTrial,
  announcer: Announcer,
  dialect: OwnDialect,
  names: OwnNames,
  errors: OwnErrors,
  outcomes: OwnOutcomes,
  taking: OwnTaking,
};

for (const code of document.querySelectorAll("main code")) {
  if (code.textContent.includes(PLACEHOLDER)) code.textContent = code.textContent.replaceAll(PLACEHOLDER, config.api);
}
for (const block of document.querySelectorAll<HTMLElement>("figure.code")) addCopyButton(block);
for (const place of document.querySelectorAll<HTMLElement>("[data-part]")) {
  const Part = PARTS[place.dataset["part"] ?? ""];
  if (Part) render(<Part />, place);
}
/** What stands in examples if nothing is known of the partner, by example. */
const usual = new Map(
  [...document.querySelectorAll<HTMLElement>("[data-example] code")].map((code) => [code, code.textContent]),
);
showForms();
holder.subscribe(showForms);

if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();

/** Show examples in the partner's own forms, and not what is said of others'. */
function showForms(): void {
  const forms = holder.value?.forms;
  for (const [code, text] of usual) {
    const name = code.closest<HTMLElement>("[data-example]")?.dataset["example"] ?? "";
    code.textContent = forms ? example(name, forms, text) : text;
  }
  for (const said of document.querySelectorAll<HTMLElement>("[data-usual]")) said.hidden = Boolean(forms);
}

function addCopyButton(block: HTMLElement): void {
  const text = block.querySelector("pre");
  const name = block.querySelector(".name")?.textContent ?? "";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy: ${name}`);
  button.addEventListener("click", async () => {
    if (!text) return;
    try {
      await navigator.clipboard.writeText(text.textContent);
      announce("Copied");
    } catch {
      // The browser forbids it: select the text, to be copied by hand.
      getSelection()?.selectAllChildren(text);
      announce("Selected. Copy it with the keyboard.");
    }
  });
  block.querySelector("figcaption")?.append(button);
}
