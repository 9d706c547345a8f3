/// <reference types="mocha" />
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import { startEngine } from "../../src/host/engineProcess";

const extension = vscode.extensions.getExtension("whittle.whittle")!;
const sample = (): string => join(vscode.workspace.workspaceFolders![0]!.uri.fsPath, "mnist_mlp.onnx");

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly configuration: { readonly properties: Readonly<Record<string, { readonly default: unknown }>> };
  };
}
const { contributes } = extension.packageJSON as Manifest;

suite("The extension in its host", () => {
  test("activates", async () => {
    await extension.activate();
    assert.ok(extension.isActive);
  });

  test("registers every command that package.json names", async () => {
    const registered = await vscode.commands.getCommands(true);
    const missing = contributes.commands.filter(({ command }) => !registered.includes(command));
    assert.deepEqual(missing, []);
  });

  test("has its settings, each with the default that package.json names", () => {
    const settings = vscode.workspace.getConfiguration();
    for (const [name, { default: value }] of Object.entries(contributes.configuration.properties)) {
      assert.equal(settings.get(name), value, name);
    }
    assert.equal(settings.get("whittle.bits"), 4);
    assert.equal(settings.get("whittle.method"), "maly-saab");
  });

  test("opens a model in its own editor", async () => {
    await vscode.commands.executeCommand("vscode.open", vscode.Uri.file(sample()));
    const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    assert.ok(input instanceof vscode.TabInputCustom);
    assert.equal(input.viewType, "whittle.model");
  });
});

suite("The engine, forked by the extension host", () => {
  const log = vscode.window.createOutputChannel("Whittle tests", { log: true });
  suiteTeardown(() => log.dispose());

  test("names the layers of the sample and the bytes of its file", async () => {
    const engine = startEngine(extension.extensionPath, "look", log);
    try {
      const inspection = await engine.channel.request("inspect", { path: sample() });
      assert.deepEqual(
        inspection.layers.map(({ name, shape }) => [name, shape]),
        [
          ["/net/net.0/Gemm", [500, 784]],
          ["/net/net.2/Gemm", [300, 500]],
          ["/net/net.4/Gemm", [10, 300]],
        ],
      );
      assert.equal(inspection.bytes, readFileSync(sample()).length);
    } finally {
      await engine.end();
    }
  });

  test("says what is wrong with a file that is no model", async () => {
    const engine = startEngine(extension.extensionPath, "look", log);
    try {
      const path = sample().replace("mnist_mlp.onnx", "NOTICE.md");
      await assert.rejects(engine.channel.request("inspect", { path }), /NOTICE\.md is a text, not an ONNX model/);
    } finally {
      await engine.end();
    }
  });

  test("that is killed fails what was asked of it, and no more", async () => {
    const engine = startEngine(extension.extensionPath, "look", log);
    const asked = engine.channel.request("inspect", { path: sample() });
    void engine.end();
    await assert.rejects(asked, /The engine ended unexpectedly/);
    const next = startEngine(extension.extensionPath, "look", log);
    try {
      assert.equal((await next.channel.request("inspect", { path: sample() })).layers.length, 3);
    } finally {
      await next.end();
    }
  });
});
