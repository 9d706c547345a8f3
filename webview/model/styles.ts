import { css } from "lit";

export const modelStyles = css`
  body,
  .row.head {
    background: var(--vscode-editor-background);
  }
  main {
    container: model / inline-size;
  }
  .top {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    gap: 2px 16px;
    padding: 14px 20px 12px;
    border-bottom: 1px solid var(--w-line);
  }
  h1 {
    font-size: 18px;
    line-height: 24px;
  }
  .top > .dim {
    grid-column: 1 / -1;
  }
  .act.restricted {
    display: grid;
    gap: 8px;
    justify-items: end;
    max-width: 300px;
  }
  .facts {
    grid-column: 1 / -1;
    display: flex;
    flex-wrap: wrap;
    gap: 4px 28px;
    margin-top: 10px;
  }
  .facts dd {
    font-size: 15px;
    line-height: 20px;
    font-weight: 600;
    overflow-wrap: anywhere;
  }
  .split {
    display: grid;
    grid-template-columns: minmax(0, 1fr) 300px;
  }
  .none {
    padding: 16px 20px;
  }
  .tools {
    display: flex;
    align-items: center;
    gap: 8px;
    padding: 6px 20px;
  }
  .filter {
    width: 240px;
  }
  .tools .small {
    white-space: nowrap;
  }
  .layers .row {
    grid-template-columns: 36px minmax(90px, 1fr) 56px 136px 78px 60px minmax(24px, 0.7fr) 50px;
    column-gap: 8px;
    padding: 0 20px;
  }
  .row.head {
    position: sticky;
    top: 0;
    z-index: 2;
  }
  .layers .bar i {
    left: 0;
    background: var(--w-error);
  }
  .rail {
    padding: 10px 20px 16px;
    border-left: 1px solid var(--w-line);
  }
  .rail section + section {
    margin-top: 12px;
    padding-top: 10px;
    border-top: 1px solid var(--w-line);
  }
  .rail h2 {
    margin-bottom: 6px;
  }
  .rail h2 .dim {
    font-weight: 400;
  }
  .copies {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr) auto;
    gap: 0 10px;
    align-items: center;
    font-size: 12px;
  }
  .copies .bar {
    height: 18px;
  }
  .copies .bar i {
    top: 5px;
    bottom: 5px;
    left: 0;
    background: var(--vscode-charts-foreground);
  }
  .groups {
    font-size: 12px;
    line-height: 16px;
  }
  .groups > li {
    padding: 6px 0;
  }
  .groups > li + li {
    border-top: 1px solid var(--w-line);
  }
  .groups h3 {
    font-weight: 400;
  }
  .group {
    display: flex;
    gap: 4px;
    width: 100%;
  }
  .why {
    padding-left: 20px;
    overflow-wrap: anywhere;
  }
  .tensors {
    margin: 4px 0 0 20px;
    padding-left: 8px;
    border-left: 1px solid var(--vscode-tree-indentGuidesStroke);
  }
  .tensors li {
    display: flex;
    flex-wrap: wrap;
    gap: 0 8px;
  }
  .tensors .tail {
    flex: 1 1 60%;
  }
  .tensors p {
    flex-basis: 100%;
    overflow-wrap: anywhere;
  }
  .pairs {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: 3px 12px;
    font-size: 12px;
    line-height: 16px;
  }
  .pairs dd {
    overflow-wrap: anywhere;
  }
  .pairs + p {
    margin-top: 4px;
  }

  @container model (max-width: 959px) {
    .parameters {
      display: none;
    }
    .layers .row {
      grid-template-columns: 36px minmax(90px, 1fr) 44px 124px 60px minmax(44px, 0.7fr) 50px;
    }
  }
  @container model (max-width: 699px) {
    .split {
      display: block;
    }
    .rail {
      border-left: 0;
      border-top: 1px solid var(--w-line);
      margin-top: 12px;
    }
    .top,
    .rail,
    .none {
      padding-inline: 12px;
    }
    .tools {
      padding: 6px 12px;
    }
    .place,
    .op {
      display: none;
    }
    .layers .row {
      grid-template-columns: minmax(0, 1fr) 136px 50px minmax(16px, 0.4fr) 46px;
      padding: 0 12px;
    }
  }
  @container model (max-width: 419px) {
    .top {
      grid-template-columns: minmax(0, 1fr);
    }
    .act {
      margin-top: 8px;
      justify-items: start !important;
    }
    .shape {
      display: none;
    }
    .layers .row {
      grid-template-columns: minmax(70px, 1fr) 48px minmax(0, 0.4fr) 46px;
    }
  }
`;
