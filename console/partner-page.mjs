// What of /partner/ is written when it is built: blocks of code, the samples, and the OpenAPI description of what partners
// call and are sent.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

const DESCRIBED = ["/SMSBOWER", "/SMSBOWER/getsms"];
const PUSH = "pushSms";

/** Return a page with everything filled in that is in `docs`. */
export async function filled(page, docs) {
  const description = JSON.parse(await readFile(join(docs, "openapi.json"), "utf8"));
  const blocks = page.replace(
    /<x-code name="([^"]+)"(?: example="([^"]+)")?>\n([\s\S]*?)\n<\/x-code>/g,
    (_, name, example, text) => block(name, text, example),
  );
  return replaced(blocks.replace("{{reference}}", () => reference(description)), /\{\{sample (\S+) (\S+)\}\}/g, (found) =>
    sample(join(docs, "samples"), ...found.slice(1)),
  );
}

async function replaced(text, pattern, by) {
  const parts = await Promise.all([...text.matchAll(pattern)].map(by));
  return text.replace(pattern, () => parts.shift());
}

async function sample(folder, file, language) {
  const text = await readFile(join(folder, file), "utf8");
  return `<details><summary>${escaped(language)}: ${escaped(file)}</summary>${block(file, text.trimEnd())}</details>`;
}

/** Return a block of code; the page shows an `example` in the forms of the partner, once it knows them. */
function block(name, text, example) {
  const label = escaped(name);
  const own = example ? ` data-example="${example}"` : "";
  return (
    `<figure class="code"${own}><figcaption class="quiet"><span class="name">${label}</span></figcaption>` +
    `<pre tabindex="0" role="region" aria-label="${label}"><code>${escaped(text)}</code></pre></figure>`
  );
}

// ---------------------------------------------------------------- the OpenAPI description

/** Return the description of what partners call and are sent, as HTML. */
export function reference({ paths, webhooks, components: { schemas } }) {
  const operations = [
    ...DESCRIBED.flatMap((path) => Object.entries(paths[path]).map(([method, one]) => operation(`${method} ${path}`, one))),
    ...Object.entries(webhooks[PUSH]).map(([method, one]) => operation(`${method} to your Push URL`, one)),
  ];
  const asked = [...DESCRIBED.map((path) => paths[path]), webhooks[PUSH]];
  const models = [...reached(asked, schemas)].sort().map((name) => model(name, schemas[name]));
  return [...operations, ...models].join("\n");
}

function reached(from, schemas, found = new Set()) {
  for (const [, name] of JSON.stringify(from).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    if (found.has(name)) continue;
    found.add(name);
    reached(schemas[name], schemas, found);
  }
  return found;
}

function operation(title, { summary, description, parameters = [], requestBody, responses }) {
  const [method, ...place] = title.split(" ");
  const name = `${method.toUpperCase()} ${place.join(" ")}`;
  const given = parameters.map(({ name, in: where, required, schema, description }) =>
    row([`<code>${escaped(name)}</code>`, required ? "yes" : "no", type(schema), `${where}. ${prose(description ?? "")}`]),
  );
  const answers = Object.entries(responses).map(([status, { content, description }]) =>
    row([status, content ? type(content["application/json"].schema) : "", prose(description)]),
  );
  return [
    `<h3>${escaped(name)}</h3><p>${prose(summary)}</p>`,
    description ? `<p>${prose(description)}</p>` : "",
    given.length ? table(`Parameters of ${name}`, ["Name", "Required", "Type", "In"], given) : "",
    requestBody ? `<p>Body: ${type(requestBody.content["application/json"].schema)}</p>` : "",
    table(`Answers of ${name}`, ["Status", "Body", "Means"], answers),
  ].join("");
}

function model(name, schema) {
  const { description = "", properties, required = [] } = schema;
  const head = `<h3 id="schema-${name}">${escaped(name)}</h3><p>${prose(description)}</p>`;
  if (!properties) return `${head}<p>${type({ ...schema, description: undefined })}</p>`;
  const rows = Object.entries(properties).map(([field, one]) =>
    row([`<code>${escaped(field)}</code>`, required.includes(field) ? "yes" : "no", type(one), prose(one.description ?? "")]),
  );
  return head + table(`Fields of ${name}`, ["Field", "Always", "Type", "Means"], rows);
}

/** Return in words what a schema allows. */
function type(schema) {
  const { $ref, anyOf, items, properties, additionalProperties } = schema;
  if ($ref) {
    const name = $ref.split("/").at(-1);
    return `<a href="#schema-${name}">${escaped(name)}</a>`;
  }
  if ("const" in schema) return literal(schema.const);
  if (schema.enum) return schema.enum.map(literal).join(" or ");
  if (anyOf) return [...new Set(anyOf.map(type))].join(" or ");
  if (items) return `list of ${type(items)}`;
  if (properties) {
    const fields = Object.entries(properties).map(([name, one]) => `<code>${escaped(name)}</code>: ${type(one)}`);
    return `object with ${fields.join(", ")}`;
  }
  if (additionalProperties) return `object, by name: ${type(additionalProperties)}`;
  return escaped(schema.type ?? "anything") + limits(schema);
}

function limits({ minimum, maximum, minLength, maxLength, format, examples }) {
  const said = [
    minimum !== undefined && maximum !== undefined ? `${minimum} to ${maximum}` : "",
    minimum !== undefined && maximum === undefined ? `at least ${minimum}` : "",
    maxLength !== undefined ? `${minLength ?? 0} to ${maxLength} characters` : "",
    format ?? "",
    examples ? `such as ${examples[0]}` : "",
  ].filter(Boolean);
  return said.length ? ` (${escaped(said.join(", "))})` : "";
}

function literal(value) {
  return `<code>${escaped(JSON.stringify(value))}</code>`;
}

function table(caption, titles, rows) {
  const head = titles.map((title) => `<th scope="col">${title}</th>`).join("");
  const label = escaped(caption);
  return (
    `<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table class="plain-table">` +
    `<caption>${label}</caption><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`
  );
}

function row(cells) {
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
}

/** Return a description as HTML: what is between backticks is code. */
function prose(text) {
  return escaped(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

function escaped(text) {
  return String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
