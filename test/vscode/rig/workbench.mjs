/**
 * The words in which a flow is told: what a user does in VS Code's window, and what the user sees there. Each waits for
 * its own condition, so a flow holds no sleeps. Selectors into VS Code's pages stand here and nowhere else.
 */
import { basename, dirname } from "node:path";
import { errors } from "playwright-core";
import { openPage } from "./browser.mjs";
import { copyOf, removeFolder } from "./folders.mjs";
import { STEP_MS, WORKBENCH_MS, until } from "./patience.mjs";
import { shotPath } from "./screenshots.mjs";
import { startServer } from "./server.mjs";

/** The themes every page of ours is looked at in, and the kind that VS Code then names in the body of a webview. */
export const THEMES = {
  "Dark Modern": "vscode-dark",
  "Light Modern": "vscode-light",
  "Dark High Contrast": "vscode-high-contrast",
  "Light High Contrast": "vscode-high-contrast-light",
};

/** Parts of the window, by the name a user would give them. */
const PARTS = {
  window: ".monaco-workbench",
  sideBar: ".part.sidebar",
  activityBar: ".part.activitybar",
  editor: ".part.editor",
  panel: ".part.panel",
  statusBar: ".part.statusbar",
  notifications: ".notifications-toasts",
  dialog: ".monaco-dialog-box",
  quickPick: ".quick-input-widget",
  menu: ".monaco-menu",
};

const EXPLORER_ROW = ".explorer-folders-view .monaco-list-row";
const QUICK_PICK_ROW = ".quick-input-widget .quick-input-list .monaco-list-row";
const MENU_LABEL = ".monaco-menu .action-menu-item .action-label";
const NOTIFICATION = ".notifications-toasts .notification-list-item";

/**
 * Opens VS Code on a copy of a workspace, so that a flow may write in it.
 *
 * @param {object} options
 * @param {string} options.workspace       folder that is copied.
 * @param {string} [options.vsix]          extension to install, as a user would. Default: WHITTLE_VSIX.
 * @param {string} [options.extensionPath] or the folder of one, when nothing is to be packaged.
 * @param {object} [options.settings]      user settings.
 * @param {keyof typeof THEMES} [options.theme]
 * @param {{ width: number, height: number }} [options.viewport]
 * @param {boolean} [options.trusted]      false: Restricted Mode.
 * @param {object} [options.env]           added to the extension host's environment.
 */
export async function openWorkbench({
  workspace,
  extensionPath,
  vsix = extensionPath ? undefined : process.env.WHITTLE_VSIX,
  settings,
  theme = "Dark Modern",
  viewport,
  trusted,
  env,
}) {
  const folder = copyOf(workspace);
  let server, opened;
  const close = async () => {
    await opened?.browser.close();
    await server?.stop();
    removeFolder(dirname(folder));
  };
  try {
    server = await startServer({
      settings: { "workbench.colorTheme": theme, ...settings },
      vsix: vsix ? [vsix] : [],
      trusted,
      env,
    });
    opened = await openPage({
      server,
      workspace: folder,
      viewport,
      development: extensionPath && { extensionPath },
    });
    opened.page.setDefaultTimeout(STEP_MS);
    await ready(opened.page);
    return {
      ...vocabulary(opened.page),
      page: opened.page,
      workspace: folder,
      log: server.log,
      processes: server.processes,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Waits until the extensions' menus, commands and views are there: a second later than the window itself. */
async function ready(page) {
  const handled = () => performance.getEntriesByName("code/didHandleExtensionPoints").length > 0;
  await page.waitForFunction(handled, undefined, { timeout: WORKBENCH_MS });
}

function vocabulary(page) {
  // --- The Explorer ---------------------------------------------------------------------------------------------

  /** The row of a file or folder, as "models/mnist.onnx"; closed folders on the way are opened. */
  async function explorerRow(path) {
    await openView("Explorer");
    const names = path.split("/");
    for (const [depth, name] of names.entries()) {
      const row = page
        .locator(`${EXPLORER_ROW}[aria-level="${depth + 1}"]`)
        .filter({ has: page.locator(".label-name", { hasText: exactly(name) }) });
      await row.waitFor();
      if (depth === names.length - 1) return row;
      if ((await row.getAttribute("aria-expanded")) === "false") await row.click();
    }
  }

  /** Opens a file, and waits for its tab. */
  async function openFile(path) {
    await untilHeard(
      // A row may move away under the mouse when a file is added.
      async () => (await explorerRow(path)).click(),
      () => appears(tab(basename(path))),
      `${path} did not open.`,
    );
  }

  /** Opens the context menu of a file and returns what it offers, in order. */
  async function explorerMenu(path) {
    await (await explorerRow(path)).click({ button: "right" });
    await page.locator(MENU_LABEL).first().waitFor();
    return menuLabels();
  }

  /** What the menu that is open offers, open submenus included. */
  function menuLabels() {
    return page.locator(MENU_LABEL).allInnerTexts();
  }

  /** Clicks an item of the menu that is open; with several labels, through submenus. */
  async function clickInMenu(...labels) {
    const items = labels.map(label => page.locator(MENU_LABEL, { hasText: exactly(label) }).last());
    for (const [i, item] of items.entries()) {
      if (!(await appears(item))) throw new Error(`No "${labels[i]}" among: ${(await menuLabels()).join(", ")}.`);
      const isLast = i + 1 === items.length;
      // A menu does not hear the mouse in its first tenth of a second, lest the click that opened it choose something.
      await untilHeard(
        () => item.click(),
        () => (isLast ? vanishes(page.locator(PARTS.menu).first()) : appears(items[i + 1])),
        `Nothing came of a click on "${labels[i]}".`,
      );
    }
  }

  /** Opens the context menu of a file and clicks an item. */
  async function clickInExplorerMenu(path, ...labels) {
    // A menu that opens in the window's first moment may show as disabled what a second later is not.
    const disabled = page.locator(".monaco-menu .action-item.disabled", { hasText: exactly(labels[0]) });
    await until(
      async () => {
        await explorerMenu(path);
        if ((await disabled.count()) === 0) return true;
        await page.keyboard.press("Escape");
        await page.locator(PARTS.menu).first().waitFor({ state: "detached" });
        return false;
      },
      STEP_MS,
      () => `"${labels[0]}" stays disabled for ${path}.`,
    );
    await clickInMenu(...labels);
  }

  // --- Commands, picks, questions -------------------------------------------------------------------------------

  /** Runs a command by the title the palette shows, as "Whittle: Quantize…". */
  async function runCommand(title) {
    const input = page.locator(`${PARTS.quickPick} .quick-input-filter input`).first();
    // A webview that has the focus hands the key on, but may be still too young for it.
    await untilHeard(
      () => page.keyboard.press("F1"),
      async () => (await appears(input)) && (await input.inputValue()).startsWith(">"),
      "The command palette did not open.",
    );
    await input.fill(`>${title}`);
    await quickPickRow(title).click();
  }

  function quickPickRow(label) {
    return page
      .locator(QUICK_PICK_ROW)
      .filter({ has: page.locator(".quick-input-list-row:first-child .label-name", { hasText: exactly(label) }) })
      .first();
  }

  /** Chooses a row of the quick pick that is open, or opens in a moment. */
  async function pick(label) {
    await quickPickRow(label).click();
  }

  /** Ticks rows of a quick pick that takes several, and confirms. */
  async function pickAll(...labels) {
    for (const label of labels)
      await quickPickRow(label).locator("input[type=checkbox], .monaco-custom-toggle").first().click();
    await page.locator(`${PARTS.quickPick} .quick-input-action .monaco-button`, { hasText: "OK" }).click();
  }

  /** The rows in view, each as its label. */
  async function picks() {
    await page.locator(QUICK_PICK_ROW).first().waitFor();
    return page.locator(`${QUICK_PICK_ROW} .quick-input-list-row:first-child .label-name`).allInnerTexts();
  }

  /**
   * Types into the question that is open and presses Enter. VS Code's own file dialog is such a question: answer its path.
   *
   * @param {string | RegExp} [question] part of the title, the prompt or the placeholder: waits until that is asked.
   */
  async function answer(text, question) {
    const widget = page.locator(PARTS.quickPick);
    const input = widget.locator(".quick-input-filter input").first();
    await input.waitFor();
    if (question)
      await until(
        async () => matches(await asked(), question),
        STEP_MS,
        async () => `Nothing asks "${question}", but "${await asked()}".`,
      );
    await input.fill(text);
    await input.press("Enter");
  }

  /** What the open question says: title, placeholder and the message below, such as a complaint about the answer. */
  async function asked() {
    const widget = page.locator(PARTS.quickPick);
    const placeholder = await widget.locator(".quick-input-filter input").first().getAttribute("placeholder");
    const texts = await widget.locator(".quick-input-title, .quick-input-message").allInnerTexts();
    return [...texts, placeholder].filter(Boolean).join("\n");
  }

  // --- Views, editors, webviews ---------------------------------------------------------------------------------

  /** Shows a view container by the title of its icon in the activity bar. */
  async function openView(title) {
    const icon = page
      .locator(`${PARTS.activityBar} .action-item`, { has: page.locator(`[aria-label^="${title}"]`) })
      .first();
    await icon.waitFor();
    // A click on the icon of the view that is shown would hide it.
    if ((await icon.getAttribute("class")).includes("checked")) return;
    await icon.click();
  }

  /** Clicks an icon at the right end of the editor's tabs, by its tooltip. */
  async function clickInEditorTitle(label) {
    await page
      .locator(`${PARTS.editor} .title .editor-actions .action-label[aria-label^="${label}"]`)
      .first()
      .click();
  }

  /** Loads the window anew, as Developer: Reload Window does; editors and views are restored. */
  async function reload() {
    await page.reload();
    await ready(page);
  }

  /** Waits until the editor in front has that title. */
  async function waitForTab(title) {
    await tab(title).waitFor();
  }

  function tab(title) {
    // After the title a comma and the group may follow.
    const active = `${PARTS.editor} .tab.active`;
    const [is, starts] = [title, `${title},`].map(text => JSON.stringify(text));
    return page.locator(`${active}[aria-label=${is}], ${active}[aria-label^=${starts}]`).first();
  }

  /**
   * The page of the extension inside a webview that is shown. VS Code nests it: an outer frame of its own, known by
   * `?id=` in its address, and in that the extension's. When a webview gets new HTML, ask for it again.
   *
   * @param {string | ((frame: import("playwright-core").Frame) => unknown)} is a selector of something in it, or a test.
   * @returns {Promise<import("playwright-core").Frame>}
   */
  async function webview(is) {
    const test = typeof is === "string" ? async frame => (await frame.locator(is).count()) > 0 : is;
    return until(
      async () => {
        for (const frame of await shownWebviews()) if (await test(frame).catch(() => false)) return frame;
      },
      STEP_MS,
      async () =>
        `No webview has ${is}. Shown are: ${(await Promise.all((await shownWebviews()).map(frame => frame.title()))).join(", ") || "none"}.`,
    );
  }

  /** A webview that is hidden but kept is in the page as well: leave it out. */
  async function shownWebviews() {
    const inner = page.frames().filter(frame => /[?&]id=/.test(frame.parentFrame()?.url() ?? ""));
    const shown = await Promise.all(
      inner.map(async frame => {
        const holder = await frame
          .parentFrame()
          ?.frameElement()
          .catch(() => undefined);
        return holder?.isVisible().catch(() => false); // It may vanish while we ask.
      }),
    );
    return inner.filter((_, i) => shown[i]);
  }

  // --- Notifications and dialogs --------------------------------------------------------------------------------

  /** Waits for a notification that says so. */
  async function notification(text) {
    const found = page.locator(NOTIFICATION, { hasText: text }).first();
    await found.waitFor();
    return found;
  }

  /** What the notifications on screen say, newest first; most leave by themselves after some seconds. */
  function notifications() {
    return page.locator(`${NOTIFICATION} .notification-list-item-message`).allInnerTexts();
  }

  /** Clicks a button of a notification, as "Cancel" of a progress. */
  async function clickInNotification(text, button) {
    const item = await notification(text);
    await item.hover(); // Buttons of a progress show on hover.
    await item
      .locator(".monaco-button, .action-label", { hasText: exactly(button) })
      .first()
      .click();
  }

  /** Waits for a modal dialog and clicks one of its buttons. */
  async function clickInDialog(text, button) {
    const dialog = page.locator(PARTS.dialog, { hasText: text });
    await dialog.locator(".monaco-button", { hasText: exactly(button) }).click();
    await dialog.waitFor({ state: "detached" });
  }

  // --- Looking --------------------------------------------------------------------------------------------------

  /** Waits until a text is to be seen: in the whole window, one of its parts by name, or a webview. */
  async function waitForText(text, where = "window") {
    const root = typeof where === "string" ? page.locator(PARTS[where]).first() : where;
    await root.getByText(text).filter({ visible: true }).first().waitFor();
  }

  /** Takes a picture of the window, one of its parts by name, a webview or a locator; returns the file's path. */
  async function screenshot(name, of = "window") {
    const path = shotPath(name);
    const options = { path, animations: "disabled" };
    if (of === "window") await page.screenshot(options);
    else if (typeof of === "string") await page.locator(PARTS[of]).first().screenshot(options);
    else if ("frameElement" in of) await (await of.parentFrame().frameElement()).screenshot(options);
    else await of.screenshot(options);
    return path;
  }

  /** Changes the colour theme as a user does, and waits until window and webviews wear it. */
  async function setTheme(name) {
    await runCommand("Preferences: Color Theme");
    const input = page.locator(`${PARTS.quickPick} .quick-input-filter input`).first();
    await page.locator(QUICK_PICK_ROW, { hasText: "Modern" }).first().waitFor();
    await input.fill(name);
    await pick(name);
    await page.locator(PARTS.quickPick).waitFor({ state: "hidden" });
    for (const frame of await shownWebviews())
      await frame.locator(`body[data-vscode-theme-kind="${THEMES[name]}"]`).waitFor({ state: "attached" });
  }

  return {
    ...{ openFile, explorerRow, explorerMenu, clickInExplorerMenu, clickInMenu },
    ...{ runCommand, pick, pickAll, picks, answer, asked },
    ...{ openView, waitForTab, clickInEditorTitle, webview, reload },
    ...{ notification, notifications, clickInNotification, clickInDialog },
    ...{ waitForText, screenshot, setTheme },
  };
}

/** Does something again while nothing comes of it: for keys and clicks that VS Code may be not ready to hear. */
function untilHeard(act, heard, failure) {
  return until(
    async () => {
      await act();
      return heard();
    },
    STEP_MS,
    () => failure,
  );
}

// What comes of a key or click comes within a tenth of this. Under load a second click is worse than a longer wait.
const HEARD_MS = 5_000;

const appears = locator => reaches(locator, "visible");
const vanishes = locator => reaches(locator, "hidden");

/** Whether the element gets there soon. */
async function reaches(locator, state) {
  try {
    await locator.waitFor({ state, timeout: HEARD_MS });
    return true;
  } catch (error) {
    if (error instanceof errors.TimeoutError) return false;
    throw error;
  }
}

function exactly(text) {
  return new RegExp(`^\\s*${text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}\\s*$`);
}

function matches(text, wanted) {
  return typeof wanted === "string" ? text.includes(wanted) : wanted.test(text);
}
