// Takes a number, waits for its SMS, closes the activation. Node 18 or newer, nothing to install.
//
// GLOBALCONNECT_URL=… GLOBALCONNECT_KEY=… node client.mjs england any tg

import { setTimeout as sleep } from "node:timers/promises";

const URL_OF_API = process.env.GLOBALCONNECT_URL.replace(/\/+$/, "");
const KEY = process.env.GLOBALCONNECT_KEY;
const PATIENCE = 600_000; // milliseconds; an activation lives for an hour

async function answerTo(url, init = {}, mayRepeat = true) {
  for (const wait of [1_000, 2_000, 4_000, null]) {
    let again, why;
    try {
      const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(35_000) });
      const text = await answer.text();
      if (answer.ok) return JSON.parse(text);
      // 503: nothing was changed. After another failure GET_NUMBER may have taken a number.
      again = answer.status === 503 || (answer.status >= 500 && mayRepeat);
      why = `${answer.status} ${text}`;
    } catch (failed) {
      again = mayRepeat;
      why = `no answer: ${failed.name}`;
    }
    if (wait === null || !again) fail(why);
    await sleep(wait);
  }
}

function call(action, fields = {}) {
  const body = JSON.stringify({ key: KEY, action, ...fields });
  const init = { method: "POST", headers: { "Content-Type": "application/json" }, body };
  return answerTo(`${URL_OF_API}/SMSBOWER`, init, action !== "GET_NUMBER");
}

function messagesOf(id) {
  return answerTo(`${URL_OF_API}/SMSBOWER/getsms/?${new URLSearchParams({ apiKey: KEY, id })}`);
}

function fail(why) {
  console.error(why);
  process.exit(1);
}

const [country, operator, service] = process.argv.slice(2);
const taken = await call("GET_NUMBER", { country, operator, service });
if (taken.status !== "SUCCESS") fail(taken.status);
console.log("number", taken.number, "activation", taken.activationId);

const deadline = Date.now() + PATIENCE;
let polled = await messagesOf(taken.activationId);
while (polled.status === "WAIT_CODE" && Date.now() < deadline) {
  await sleep(2_000);
  polled = await messagesOf(taken.activationId);
}

for (const sms of polled.messages ?? []) console.log("sms", sms.phoneFrom, sms.text);
// 3: it was used. 4: nothing came. Sent again, it has one effect.
const status = polled.status === "SUCCESS" ? 3 : 4;
const finished = await call("FINISH_ACTIVATION", { activationId: taken.activationId, status });
console.log("finished", finished.status);
