import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import * as vscode from "vscode";

/** Gives a webview one of our pages, under a policy that runs our script and nothing else. */
export function openPage(
  webview: vscode.Webview,
  page: "report" | "model",
  title: string,
  extension: vscode.Uri,
): void {
  const folder = vscode.Uri.joinPath(extension, "dist", "webview");
  webview.options = { enableScripts: true, localResourceRoots: [folder] };
  const address = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(folder, name)).toString(true);
  const nonce = randomBytes(18).toString("base64");
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource}`,
    `font-src ${webview.cspSource}`,
    `img-src ${webview.cspSource}`,
  ].join("; ");
  // A bundle without style sheets of its own leaves no file.
  const sheet = existsSync(vscode.Uri.joinPath(folder, `${page}.css`).fsPath)
    ? `<link rel="stylesheet" href="${address(`${page}.css`)}">`
    : "";
  webview.html = `<!DOCTYPE html>
<html lang="${vscode.env.language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
${sheet}
</head>
<body>
<script type="module" nonce="${nonce}" src="${address(`${page}.js`)}"></script>
</body>
</html>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, found => `&#${found.charCodeAt(0)};`);
}
