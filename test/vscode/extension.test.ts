/// <reference types="mocha" />
import assert from "node:assert/strict";
import * as vscode from "vscode";

suite("Whittle in the extension host", () => {
  test("activates, and has the commands that its menus name", async () => {
    const extension = vscode.extensions.all.find(one => (one.packageJSON as { name?: string }).name === "whittle");
    assert.ok(extension, "The extension is not there.");
    await extension.activate();
    const there = await vscode.commands.getCommands(true);
    const { contributes } = extension.packageJSON as { contributes: { commands: { command: string }[] } };
    for (const { command } of contributes.commands)
      assert.ok(there.includes(command), `${command} is not registered.`);
  });

  test("proposes the defaults of the command line", () => {
    const settings = vscode.workspace.getConfiguration("whittle");
    assert.equal(settings.get("bits"), 4);
    assert.equal(settings.get("method"), "maly-saab");
    assert.equal(settings.get("format"), "auto");
  });
});
