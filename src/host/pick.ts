import * as vscode from "vscode";

export interface Choice<T> extends vscode.QuickPickItem {
  readonly value: T;
}

/**
 * A quick pick that opens on a choice other than its first, which `showQuickPick` cannot.
 *
 * @returns undefined when the user turned away.
 */
export function pickOne<T>(
  title: string,
  placeholder: string,
  choices: readonly Choice<T>[],
  active?: Choice<T>,
): Promise<T | undefined> {
  return new Promise(resolve => {
    const pick = vscode.window.createQuickPick<Choice<T>>();
    pick.title = title;
    pick.placeholder = placeholder;
    pick.matchOnDetail = true;
    pick.ignoreFocusOut = true; // A form of four questions is not lost to a glance at another window.
    pick.items = choices;
    if (active) pick.activeItems = [active];
    pick.onDidAccept(() => {
      resolve(pick.selectedItems[0]?.value);
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}
