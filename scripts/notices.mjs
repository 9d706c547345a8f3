import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Shipped beside the bundles, so esbuild does not see them. */
const SHIPPED_WHOLE = ["onnxruntime-node", "onnxruntime-common"];

/** Packages that name their licence and leave its text out. */
const MIT = holder => `MIT License

Copyright (c) ${holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
/** Apache's text as the compiler, under the same licence, carries it; the BSD part is the head of the file it is about. */
const protobuf = () =>
  [
    "Copyright 2021-2026 Buf Technologies, Inc.",
    readFileSync("node_modules/typescript/LICENSE.txt", "utf8").trim(),
    "Parts of it:",
    readFileSync("node_modules/@bufbuild/protobuf/dist/cjs/wire/varint.js", "utf8")
      .split("\n")
      .filter(line => line.startsWith("//"))
      .map(line => line.slice(2).trim())
      .join("\n"),
  ].join("\n\n");
const TEXTS = {
  "@bufbuild/protobuf": protobuf,
  "onnxruntime-node": () => MIT("Microsoft Corporation"),
  "onnxruntime-common": () => MIT("Microsoft Corporation"),
};

/**
 * What the licences of others ask us to say.
 *
 * @param {readonly string[]} inputs files that went into the bundles.
 */
export function thirdPartyNotices(inputs) {
  const names = inputs.flatMap(file => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []);
  const all = [...new Set([...names, ...SHIPPED_WHOLE])].sort();
  return (
    ["Whittle contains code of these packages.", ...all.map(noticeOf)].join(`\n\n${"-".repeat(80)}\n\n`) + "\n"
  );
}

function noticeOf(name) {
  const folder = join("node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find(one => /^licen[sc]e/i.test(one));
  const text = file ? readFileSync(join(folder, file), "utf8").trim() : TEXTS[name]?.();
  if (!text) throw new Error(`${name} has no licence text: look it up and add it to ${import.meta.filename}.`);
  return `${name} ${version} (${license})\n\n${text}`;
}
