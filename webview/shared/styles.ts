import { css } from "lit";

/** Our own names, each derived from a VS Code token, and what both pages share. */
export const sharedStyles = css`
  body {
    /* Light Modern sets descriptionForeground to the foreground itself, and a hierarchy built on it is flat there. */
    --w-dim: color-mix(in srgb, var(--vscode-foreground) 74%, transparent);
    --w-line: color-mix(in srgb, var(--vscode-foreground) 13%, transparent);
    --w-grid: color-mix(in srgb, var(--vscode-foreground) 20%, transparent);
    --w-error: color-mix(in srgb, var(--vscode-charts-foreground) 58%, transparent);
    --w-saved: color-mix(in srgb, var(--vscode-charts-blue) 78%, transparent);
    --w-worst: var(--vscode-editorWarning-foreground);
    --w-edge: transparent;
    margin: 0;
    padding: 0;
    color: var(--vscode-foreground);
    font: 13px/18px var(--vscode-font-family);
    font-variant-numeric: tabular-nums;
  }
  body.vscode-high-contrast,
  body.vscode-high-contrast-light {
    --w-dim: var(--vscode-descriptionForeground, var(--vscode-foreground));
    --w-line: var(--vscode-contrastBorder);
    --w-grid: color-mix(in srgb, var(--vscode-foreground) 45%, transparent);
    --w-error: var(--vscode-charts-foreground);
    --w-saved: var(--vscode-charts-blue);
    --w-edge: var(--vscode-contrastBorder);
  }
  *,
  ::before,
  ::after {
    box-sizing: border-box;
  }
  p,
  h1,
  h2,
  h3,
  dl,
  dd,
  ul {
    margin: 0;
    padding: 0;
  }
  h1,
  h2,
  h3 {
    font: inherit;
    font-weight: 600;
  }
  ul {
    list-style: none;
  }
  b {
    font-weight: 600;
  }
  .small {
    font-size: 12px;
    line-height: 16px;
  }
  .tiny {
    font-size: 11px;
    line-height: 14px;
  }
  .dim {
    color: var(--w-dim);
  }
  .number {
    text-align: right;
    white-space: nowrap;
  }
  .cut {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    min-width: 0;
  }
  .line {
    display: flex;
    align-items: center;
    gap: 8px;
  }
  .grow {
    flex: 1;
    min-width: 0;
  }
  .code {
    font-family: var(--vscode-editor-font-family);
    font-size: 12px;
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  /* The end of a name tells layers apart, so it is cut from the left; <bdi> keeps its punctuation in place. */
  .tail {
    direction: rtl;
    text-align: left;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    min-width: 0;
  }
  .name {
    display: flex;
    align-items: center;
    min-width: 0;
  }
  .name .first {
    flex: none;
    max-width: 50%;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .icon {
    width: 16px;
    height: 16px;
    flex: none;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.1;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .icon .fill {
    fill: currentColor;
    stroke: none;
  }
  .warn {
    color: var(--vscode-editorWarning-foreground);
  }
  .bad {
    color: var(--vscode-editorError-foreground);
  }
  .good {
    color: var(--vscode-testing-iconPassed);
  }
  .blue {
    color: var(--vscode-editorInfo-foreground);
  }
  :focus {
    outline: none;
  }
  :focus-visible {
    outline: 1px solid var(--vscode-focusBorder);
    outline-offset: -1px;
  }
  .link {
    appearance: none;
    border: 0;
    padding: 0;
    background: none;
    font: inherit;
    color: var(--vscode-textLink-foreground);
    text-decoration: underline;
    cursor: pointer;
    text-align: left;
  }
  .plain {
    appearance: none;
    border: 0;
    padding: 0;
    margin: 0;
    background: none;
    font: inherit;
    color: inherit;
    cursor: pointer;
    text-align: inherit;
  }
  .tool {
    appearance: none;
    display: inline-flex;
    flex: none;
    width: 22px;
    height: 22px;
    padding: 2px;
    border: 1px solid transparent;
    border-radius: 5px;
    background: none;
    color: var(--vscode-icon-foreground);
    cursor: pointer;
  }
  .tool:hover,
  .tool[aria-expanded="true"] {
    background: var(--vscode-toolbar-hoverBackground);
    border-color: var(--w-edge);
  }
  vscode-button {
    flex: none;
    height: 26px;
  }
  /* Themes that leave a hover colour out must not get the dark default of the element. */
  .vscode-high-contrast vscode-button,
  .vscode-high-contrast-light vscode-button {
    --vscode-button-hoverBackground: var(--vscode-button-background);
    --vscode-button-secondaryHoverBackground: var(--vscode-button-secondaryBackground);
    --vscode-button-border: var(--vscode-contrastBorder);
  }
  vscode-textfield {
    width: 100%;
    min-width: 0;
  }
  /* Keeps the square corners of the field off the round ones of its border. */
  vscode-textfield [slot="content-after"] {
    width: 1px;
  }
  vscode-textfield .icon {
    display: block;
    color: var(--w-dim);
  }
  .count {
    display: inline-block;
    min-width: 18px;
    padding: 0 5px;
    border-radius: 8px;
    font-size: 11px;
    font-weight: 400;
    line-height: 16px;
    text-align: center;
    white-space: nowrap;
    background: var(--vscode-badge-background);
    color: var(--vscode-badge-foreground);
    box-shadow: inset 0 0 0 1px var(--w-edge);
  }

  /* One row of a table, 22 px as in every VS Code list. Rows out of sight are neither laid out nor painted. */
  .row {
    display: grid;
    align-items: center;
    min-height: 22px;
  }
  .row.item {
    content-visibility: auto;
    contain-intrinsic-block-size: auto 22px;
  }
  .row.item:hover {
    background: var(--vscode-list-hoverBackground);
  }
  .vscode-high-contrast .row.item:hover,
  .vscode-high-contrast-light .row.item:hover {
    outline: 1px dashed var(--vscode-contrastActiveBorder);
    outline-offset: -1px;
  }
  .row.item:focus-visible {
    outline: 1px solid var(--vscode-focusBorder) !important;
    outline-offset: -1px;
  }
  .row.head {
    font-size: 11px;
    line-height: 14px;
    color: var(--w-dim);
    border-bottom: 1px solid var(--w-line);
  }
  .row.head [aria-sort] {
    color: var(--vscode-foreground);
    font-weight: 600;
  }
  .row.head .plain {
    display: inline-flex;
    align-items: center;
    max-width: 100%;
  }
  .row.head .icon {
    width: 12px;
    height: 12px;
  }
  .row.head .number .plain {
    justify-content: flex-end;
  }
  .bar {
    display: block;
    position: relative;
    height: 22px;
  }
  .bar i {
    position: absolute;
    top: 7px;
    bottom: 7px;
    width: max(1px, var(--to));
  }

  /* An icon and a sentence, then what to do. */
  .note {
    display: flex;
    gap: 6px;
    padding: 4px 0;
    font-size: 12px;
    line-height: 16px;
  }
  .note > p {
    flex: 1;
    min-width: 0;
    overflow-wrap: anywhere;
  }
  .note.loud {
    margin: 4px 0;
    padding: 6px 8px 6px 7px;
    border-left: 3px solid var(--w-worst);
    background: color-mix(in srgb, var(--w-worst) 10%, transparent);
    outline: 1px solid var(--w-edge);
    outline-offset: -1px;
  }
  .state {
    display: grid;
    gap: 12px;
    padding: 12px;
    overflow-wrap: anywhere;
  }
  .problem {
    display: grid;
    grid-template-columns: 16px minmax(0, 1fr);
    gap: 2px 8px;
    padding: 12px;
    overflow-wrap: anywhere;
  }
  .problem > :not(.icon) {
    grid-column: 2;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin-top: 8px;
  }
  .menu {
    position: absolute;
    z-index: 5;
    min-width: 200px;
    padding: 4px 0;
    background: var(--vscode-menu-background);
    color: var(--vscode-menu-foreground, var(--vscode-foreground));
    border: 1px solid var(--vscode-menu-border, transparent);
    border-radius: 5px;
    box-shadow: 0 2px 8px var(--vscode-widget-shadow);
  }
  .menu [role^="menuitem"] {
    display: grid;
    grid-template-columns: 16px 1fr;
    gap: 8px;
    align-items: center;
    height: 24px;
    padding: 0 10px 0 8px;
    cursor: pointer;
    white-space: nowrap;
  }
  .menu [role^="menuitem"]:is(:hover, :focus) {
    background: var(--vscode-menu-selectionBackground, var(--vscode-list-activeSelectionBackground));
    color: var(--vscode-menu-selectionForeground, var(--vscode-list-activeSelectionForeground));
    outline: 1px dotted var(--vscode-contrastActiveBorder, transparent);
    outline-offset: -1px;
  }
  .menu [role="separator"] {
    border-top: 1px solid var(--w-line);
    margin: 4px 0;
  }
  @keyframes turn {
    to {
      transform: rotate(360deg);
    }
  }
  .spin {
    animation: turn 1.5s steps(12) infinite;
  }
  .vscode-reduce-motion .spin {
    animation: none;
  }
  @media (prefers-reduced-motion: reduce) {
    .spin {
      animation: none;
    }
  }
`;

/** Puts styles on the page; a constructed sheet needs no allowance in a Content-Security-Policy. */
export function useStyles(...styles: readonly { readonly styleSheet: CSSStyleSheet | undefined }[]): void {
  document.adoptedStyleSheets.push(...styles.flatMap(one => one.styleSheet ?? []));
}
