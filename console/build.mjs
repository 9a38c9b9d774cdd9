// Bundles src/ into functions/console/static/ and functions/partner_page/static/: for each page one script and one style
// sheet, what the script loads later, all named by what is in them, the page that loads them, and the licences of the
// libraries in them. `make console` runs it.

import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { filled } from "./partner-page.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const functions = join(here, "..", "functions");

const description = JSON.parse(await readFile(join(here, "..", "docs", "openapi.json"), "utf8"));
const roles = description.components.schemas.MeView.properties.role.enum;

await bundle("src/partner-page", join(functions, "partner_page", "static"), (page) => filled(page, join(here, "..", "docs")));
// Last: make takes its page for the sign that all is there.
await bundle("src", join(functions, "console", "static"), (page) => page);

/** Build the page in a folder of sources; `complete` fills in what is known now. */
async function bundle(sources, target, complete) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: here,
    entryPoints: [`${sources}/main.tsx`],
    outdir: target,
    entryNames: "app-[hash]",
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    // A name of src/role.ts.
    define: { DESCRIBED: JSON.stringify(JSON.stringify({ roles, needed: needed() })) },
    metafile: true,
    write: false,
  });

  const built = new Map(outputFiles.map((file) => [relative(target, file.path), file.contents]));
  const template = await readFile(join(here, sources, "index.html"), "utf8");
  const page = (await complete(template))
    .replace("{{script}}", named(built, ".js"))
    .replace("{{style}}", named(built, ".css"));
  built.set("LICENSES.txt", Buffer.from(await licences(Object.keys(metafile.inputs))));

  await mkdir(target, { recursive: true });
  for (const [name, content] of built) {
    await writeFile(join(target, name), content);
    await writeFile(join(target, `${name}.gz`), gzipSync(content, { level: 9 }));
  }
  await writeFile(join(target, "index.html"), page);
  const kept = new Set(["index.html", ...[...built.keys()].flatMap((name) => [name, `${name}.gz`])]);
  for (const name of await readdir(target)) if (!kept.has(name)) await rm(join(target, name));
  for (const [name, content] of [...built, ["index.html", page]]) {
    console.log(`   ${name}  ${gzipSync(content, { level: 9 }).length} bytes as gzip`);
  }
}

/** Return the least role of each route, and of texts, but for the first, which everybody has. */
function needed() {
  const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { parameters = [], "x-role": role }]) => [
      [`${method} ${path}`, role],
      ...parameters.map((one) => [one.name, one["x-role"]]),
    ]),
  );
  return Object.fromEntries(operations.filter(([, role]) => role && role !== roles[0]));
}

function named(built, ending) {
  const found = [...built.keys()].filter((name) => name.startsWith("app-") && name.endsWith(ending));
  if (found.length !== 1) throw new Error(`expected one ${ending}, built ${found}`);
  return found[0];
}

async function licences(inputs) {
  const packages = new Set(inputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean));
  const texts = [...packages].sort().map(async (name) => {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((entry) => /^licen[sc]e/i.test(entry));
    if (!file) throw new Error(`${name} has no licence file`);
    return `${name} ${version} (${license})\n\n${await readFile(join(folder, file), "utf8")}`;
  });
  return `The page holds these libraries.\n\n${(await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`)}`;
}
