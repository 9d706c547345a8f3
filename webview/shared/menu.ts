import { html, nothing, type TemplateResult } from "lit";
import { icon, type IconName } from "./icons";

export interface MenuItem {
  readonly label: string;
  readonly checked: boolean;
  /** One of several (the default), or a switch of its own after a line. */
  readonly alone?: boolean;
  choose(): void;
}

/**
 * A button that opens a menu below it. `vscode-context-menu` has neither the roles nor the check marks of one, so this
 * is ours: arrows move, Enter and Space choose, Escape closes and gives the focus back.
 */
export function menuButton(
  label: string,
  picture: IconName,
  open: boolean,
  items: readonly MenuItem[],
  setOpen: (open: boolean) => void,
): TemplateResult {
  const close = (from: Element): void => {
    from.closest(".menu-place")?.querySelector<HTMLElement>("button")?.focus();
    setOpen(false);
  };
  return html`<div
    class="menu-place"
    @focusout=${(event: FocusEvent) => {
      const place = event.currentTarget as Element;
      if (open && event.relatedTarget instanceof Node && !place.contains(event.relatedTarget)) setOpen(false);
    }}
  >
    <button
      class="tool"
      title=${label}
      aria-label=${label}
      aria-haspopup="menu"
      aria-expanded=${open}
      @click=${() => setOpen(!open)}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key === "ArrowDown" && !open) {
          event.preventDefault();
          setOpen(true);
        }
      }}
    >
      ${icon(picture)}
    </button>
    ${
      open
        ? html`<div
            class="menu"
            role="menu"
            aria-label=${label}
            @keydown=${(event: KeyboardEvent) => onMenuKey(event, close)}
          >
            ${items.map(
              item =>
                html`${item.alone ? html`<div role="separator"></div>` : nothing}
                  <div
                    role=${item.alone ? "menuitemcheckbox" : "menuitemradio"}
                    aria-checked=${item.checked}
                    tabindex="-1"
                    @click=${(event: Event) => {
                      item.choose();
                      close(event.currentTarget as Element);
                    }}
                  >
                    ${item.checked ? icon("check") : html`<span></span>`}<span>${item.label}</span>
                  </div>`,
            )}
          </div>`
        : nothing
    }
  </div>`;
}

/** Puts the focus into a menu that has just been drawn: on what is chosen. */
export function focusMenu(root: ParentNode): void {
  const menu = root.querySelector(".menu");
  (
    menu?.querySelector<HTMLElement>('[aria-checked="true"]') ??
    menu?.querySelector<HTMLElement>('[role^="menuitem"]')
  )?.focus();
}

function onMenuKey(event: KeyboardEvent, close: (from: Element) => void): void {
  const items = [...(event.currentTarget as Element).querySelectorAll<HTMLElement>('[role^="menuitem"]')];
  const at = items.indexOf(event.target as HTMLElement);
  const next: Record<string, number> = {
    ArrowDown: (at + 1) % items.length,
    ArrowUp: (at - 1 + items.length) % items.length,
    Home: 0,
    End: items.length - 1,
  };
  const to = next[event.key];
  if (to !== undefined) items[to]?.focus();
  else if (event.key === "Enter" || event.key === " ") items[at]?.click();
  else if (event.key === "Escape" || event.key === "Tab") close(event.currentTarget as Element);
  else return;
  event.preventDefault();
  event.stopPropagation();
}
