// `node webview/preview/build.mjs` makes dist/preview/{report,model}.html: the pages in invented states, to be opened in any
// browser with ?state=…&theme=dark|light|hc|hc-light. Under the policy the extension sets. Never packaged.
import { build } from "esbuild";
import { mkdirSync, writeFileSync } from "node:fs";

const out = "dist/preview";
mkdirSync(out, { recursive: true });
await build({
  entryPoints: {
    report: "webview/report/main.ts",
    model: "webview/model/main.ts",
    host: "webview/preview/host.ts",
  },
  outdir: out,
  bundle: true,
  format: "iife",
  target: "chrome128",
  sourcemap: "inline",
  logLevel: "warning",
});
for (const page of ["report", "model"]) {
  writeFileSync(
    `${out}/${page}.html`,
    `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'nonce-preview'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${page}</title>
</head>
<body>
<script nonce="preview" src="host.js"></script>
<script nonce="preview" src="${page}.js"></script>
</body>
</html>
`,
  );
}
