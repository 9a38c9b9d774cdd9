// Takes pushes: checks their signature, keeps each SMS once. Node 18 or newer, nothing to install.
//
// GLOBALCONNECT_SECRET=whsec_… node receiver.mjs 9000

import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { link, mkdir, open, unlink } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

const SECRET = Buffer.from(process.env.GLOBALCONNECT_SECRET.replace(/^whsec_/, ""), "base64");
const INBOX = process.env.INBOX ?? "inbox";
const LONGEST = 1_000_000; // bytes
const TOLERANCE = 300; // seconds

function isSigned(headers, body) {
  const sms = headers["webhook-id"] ?? "";
  const at = headers["webhook-timestamp"] ?? "";
  if (!/^sms_[0-9]{1,16}$/.test(sms) || !/^[0-9]{1,12}$/.test(at)) return false;
  // An old one may be a copy of somebody who listened.
  if (Math.abs(Date.now() / 1000 - Number(at)) > TOLERANCE) return false;
  const digest = createHmac("sha256", SECRET).update(`${sms}.${at}.`).update(body).digest("base64");
  const expected = Buffer.from(`v1,${digest}`);
  // There are two while a secret is being replaced.
  const signatures = (headers["webhook-signature"] ?? "").split(" ").map((signature) => Buffer.from(signature));
  return signatures.some((one) => one.length === expected.length && timingSafeEqual(one, expected));
}

/** Store an SMS under its id. Gives false if it is there already: a push may come again. */
async function keep(sms, body) {
  const part = join(INBOX, `.${randomUUID()}.part`);
  const file = await open(part, "wx");
  try {
    await file.writeFile(body);
    await file.sync();
    await link(part, join(INBOX, `${sms}.json`));
    return true;
  } catch (failed) {
    if (failed.code !== "EEXIST") throw failed;
    return false;
  } finally {
    await file.close();
    await unlink(part);
  }
}

async function bodyOf(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length <= LONGEST) chunks.push(chunk);
  }
  return length <= LONGEST ? Buffer.concat(chunks) : Buffer.alloc(0);
}

async function take(request, response) {
  const answer = (code, status) =>
    response.writeHead(code, { "Content-Type": "application/json" }).end(JSON.stringify({ status }));
  try {
    const body = await bodyOf(request);
    if (!isSigned(request.headers, body)) return answer(401, "ERROR");
    if (await keep(request.headers["webhook-id"], body)) {
      const sms = JSON.parse(body);
      console.log("sms", sms.phone, sms.phoneFrom, sms.text);
    }
    // Only now: what is acknowledged is not pushed again.
    answer(200, "SUCCESS");
  } catch (failed) {
    console.error(failed.code ?? failed.name);
    answer(500, "ERROR");
  }
}

await mkdir(INBOX, { recursive: true });
// Behind a web server that speaks HTTPS.
createServer(take).listen(Number(process.argv[2]), "127.0.0.1");
