import { css } from "lit";

export const reportStyles = css`
  html {
    scroll-padding-top: 60px;
  }
  body,
  .above,
  .progress {
    background: var(--vscode-sideBar-background);
  }
  main {
    container: report / inline-size;
    padding-bottom: 12px;
  }
  vscode-button.low {
    height: 24px;
  }
  .state vscode-button {
    width: 100%;
  }
  .start {
    align-items: flex-start;
  }
  .lone {
    padding: 12px 12px 0;
  }

  .progress {
    position: sticky;
    top: 0;
    z-index: 4;
    border-bottom: 1px solid var(--w-line);
  }
  .progress .line {
    padding: 6px 12px 8px;
  }

  .summary {
    padding: 8px 12px 6px;
    border-bottom: 1px solid var(--w-line);
  }
  .title {
    min-height: 24px;
  }
  .tools-small {
    margin: -2px -3px -4px 0;
    gap: 2px;
  }
  .total {
    align-items: baseline;
    margin-top: 6px;
  }
  .big {
    font-size: 18px;
    line-height: 24px;
    font-weight: 600;
  }
  .size-bar {
    display: flex;
    gap: 1px;
    height: 8px;
    margin: 4px 0 2px;
  }
  .size-bar i {
    width: var(--to);
    background: var(--vscode-charts-foreground);
    transition: width 150ms;
  }
  .size-bar i + i {
    flex: 1;
    background: var(--w-saved);
  }
  .vscode-reduce-motion .size-bar i {
    transition: none;
  }
  @media (prefers-reduced-motion: reduce) {
    .size-bar i {
      transition: none;
    }
  }
  .ends {
    display: flex;
    justify-content: space-between;
    gap: 8px;
  }
  /* A figure that does not fit goes to a line of its own: numbers are never cut. */
  .stats {
    display: flex;
    flex-wrap: wrap;
    justify-content: space-between;
    gap: 6px 8px;
    margin-top: 8px;
  }
  .stats .value {
    display: flex;
    align-items: center;
    gap: 3px;
    font-size: 15px;
    line-height: 20px;
    font-weight: 600;
    white-space: nowrap;
  }
  .stats .tiny {
    white-space: nowrap;
  }
  .wide-only {
    display: none;
  }
  .notes {
    margin-top: 6px;
  }
  .more > summary {
    cursor: pointer;
    padding: 2px 0;
  }

  .above {
    position: sticky;
    top: 0;
    z-index: 2;
  }
  .progress ~ .layers .above {
    top: 51px;
  }
  .tools {
    display: flex;
    align-items: center;
    gap: 4px;
    padding: 6px 8px 6px 12px;
  }
  .filter {
    flex: 1;
  }
  .measure {
    padding: 0 12px 4px;
  }
  .told {
    display: none;
  }
  .menu-place {
    position: relative;
    display: flex;
  }
  .menu-place .menu {
    top: 24px;
    right: 0;
  }

  .layers .row {
    grid-template-columns: 16px minmax(0, 1fr) 26px 38px minmax(0, 0.38fr) minmax(0, 0.38fr) 40px;
    column-gap: 4px;
    padding: 0 8px 0 4px;
  }
  .row.item {
    cursor: default;
  }
  .row.item[aria-expanded] {
    cursor: pointer;
  }
  .row.todo {
    color: var(--w-dim);
  }
  .lead {
    display: flex;
  }
  .name .icon {
    width: 10px;
    height: 10px;
    margin-left: 5px;
    color: var(--w-worst);
  }
  .op,
  .shape,
  .method,
  .after,
  .onward,
  .sqnr,
  .cost {
    display: none;
  }
  .head .error {
    grid-column: span 2;
    padding-right: 5px;
  }
  .bits {
    text-align: right;
  }
  .chip {
    display: inline-block;
    min-width: 18px;
    padding: 0 4px;
    border-radius: 3px;
    font-size: 11px;
    line-height: 16px;
    text-align: center;
  }
  .chip.odd {
    background: var(--vscode-badge-background);
    color: var(--vscode-badge-foreground);
    box-shadow: 0 0 0 1px var(--w-edge);
  }

  /* One spine down the list: error to its left, bytes saved to its right; a dotted line where "worst" begins. */
  .bar.left {
    margin-right: -4px;
    border-right: 1px solid var(--w-grid);
  }
  .bar.left i {
    right: 0;
    background: var(--w-error);
  }
  .bar.right i {
    left: 0;
    background: var(--w-saved);
  }
  .bar i.planned {
    background: none;
    border: 1px solid var(--w-saved);
    opacity: 0.75;
  }
  .limited .bar.left::before {
    content: "";
    position: absolute;
    inset: 0 var(--limit) 0 auto;
    border-right: 1px dotted var(--w-worst);
    opacity: 0.7;
  }
  .worst .error,
  .worst .name {
    font-weight: 600;
  }
  .worst .bar.left i {
    background: var(--w-worst);
  }
  .vscode-high-contrast .bar.left i,
  .vscode-high-contrast-light .bar.left i {
    background: none;
    border: 1px solid var(--w-error);
  }
  .vscode-high-contrast .worst .bar.left i,
  .vscode-high-contrast-light .worst .bar.left i {
    border-color: var(--w-worst);
    background: repeating-linear-gradient(135deg, var(--w-worst) 0 4px, transparent 4px 6px);
  }

  /* Narrower than 290 px the saved bar goes and its number stays. */
  @container report (max-width: 289px) {
    .layers .row {
      grid-template-columns: 16px minmax(0, 1fr) 22px 38px 30px 40px;
      column-gap: 3px;
    }
    .bar.right,
    .head .over {
      display: none;
    }
    .bar.left {
      margin-right: 0;
      border-right: 0;
    }
    .name .icon {
      margin-left: 2px;
    }
    .title {
      flex-wrap: wrap;
      gap: 4px 8px;
      margin-bottom: 6px;
    }
    .title h2 {
      flex-basis: 100%;
    }
  }

  @container report (min-width: 700px) {
    .wide-only {
      display: inline;
    }
    .summary {
      display: grid;
      grid-template-columns: minmax(0, 1fr) minmax(50%, auto);
      gap: 0 32px;
      padding: 12px 16px 8px;
    }
    .stats {
      align-self: end;
      gap: 14px;
      padding-bottom: 2px;
    }
    .notes {
      grid-column: 1 / -1;
    }
    .tools {
      padding: 4px 16px;
    }
    .measure,
    .progress .line {
      padding-inline: 16px;
    }
    .filter {
      flex: none;
      width: 280px;
    }
    .told {
      display: block;
      flex: 1;
      padding-left: 8px;
    }
    .told .icon {
      width: 10px;
      height: 10px;
      vertical-align: -1px;
    }
    .shape,
    .after,
    .onward,
    .sqnr,
    .cost {
      display: block;
    }
    .layers .row {
      grid-template-columns:
        16px minmax(80px, 2.2fr) minmax(70px, 124px) 24px 38px minmax(40px, 0.8fr) minmax(40px, 0.8fr)
        42px 50px 54px 52px 54px;
      column-gap: 6px;
      padding: 0 16px 0 8px;
    }
    .bar.left {
      margin-right: -6px;
    }
    .head .error {
      padding-right: 7px;
    }
    .detail {
      padding: 8px 16px 12px 24px;
    }
    .parts {
      grid-template-columns: repeat(3, minmax(0, 1fr));
      gap: 10px 30px;
    }
    .what,
    .how,
    .parts > p {
      grid-column: 1 / -1;
    }
    .how dl {
      display: flex;
      flex-wrap: wrap;
      gap: 0 22px;
    }
  }
  @container report (min-width: 820px) {
    .op,
    .method {
      display: block;
    }
    .layers .row {
      grid-template-columns:
        16px minmax(80px, 2.2fr) 44px 124px 24px 70px 38px minmax(40px, 0.8fr) minmax(40px, 0.8fr)
        42px 50px 52px 50px 52px;
    }
  }
`;
