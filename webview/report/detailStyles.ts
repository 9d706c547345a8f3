import { css } from "lit";

/** What a row opens to: histogram, errors by neuron, fitted against held out, the method in words. */
export const detailStyles = css`
  .detail {
    margin-bottom: 2px;
    padding: 6px 12px 12px 22px;
    border-block: 1px solid var(--w-line);
    background: var(--vscode-editor-background);
    font-size: 12px;
    line-height: 16px;
  }
  .parts {
    display: grid;
    gap: 12px;
  }
  .what {
    overflow-wrap: anywhere;
    margin-bottom: -4px;
  }
  .detail h3 {
    margin-bottom: 4px;
    font-size: 11px;
    line-height: 14px;
  }
  .detail h3 span {
    font-weight: 400;
    color: var(--w-dim);
  }
  .how dl {
    display: grid;
    gap: 4px;
    margin-top: 4px;
  }
  .how dl div {
    display: flex;
    gap: 6px;
    align-items: baseline;
  }
  .how dt {
    flex: 1;
    color: var(--w-dim);
  }
  .how dd {
    text-align: right;
    white-space: nowrap;
  }
  .key {
    display: flex;
    flex-wrap: wrap;
    gap: 0 12px;
    font-size: 11px;
    line-height: 14px;
  }
  .key span {
    display: inline-flex;
    align-items: center;
    gap: 4px;
  }
  .swatch {
    flex: none;
    width: 10px;
    height: 8px;
    border-top: 1px solid var(--w-dim);
    background: color-mix(in srgb, var(--vscode-charts-foreground) 16%, transparent);
  }
  .swatch.levels {
    width: 3px;
    border: 0;
    background: var(--vscode-charts-blue);
  }
  .dot {
    width: 8px;
    height: 8px;
    border: 1.5px solid var(--vscode-charts-foreground);
    border-radius: 50%;
    background: var(--vscode-charts-foreground);
  }
  .dot.hollow {
    background: none;
  }
  .together {
    white-space: nowrap;
  }
  .chart {
    display: block;
    overflow: visible;
  }
  .chart text {
    fill: var(--w-dim);
    font-size: 11px;
  }
  .chart .axis {
    stroke: var(--w-grid);
  }
  .chart .level {
    stroke: var(--w-grid);
    stroke-dasharray: 1 3;
  }
  .chart .before {
    fill: color-mix(in srgb, var(--vscode-charts-foreground) 16%, transparent);
    stroke: var(--w-dim);
    vector-effect: non-scaling-stroke;
  }
  .chart .filled {
    fill: color-mix(in srgb, var(--vscode-charts-blue) 55%, transparent);
  }
  .chart .stem {
    stroke: var(--vscode-charts-blue);
    stroke-width: 2.4;
  }
  .chart .tip {
    fill: var(--vscode-charts-blue);
  }
  .chart rect.error {
    fill: var(--w-error);
  }
  .chart rect.worst {
    fill: var(--w-worst);
  }
  /* Bars in high contrast are as bright as the line across them: it runs on a band of the background. */
  .chart .halo {
    stroke: var(--vscode-editor-background);
    stroke-width: 3;
  }
  .chart .median {
    stroke: var(--vscode-foreground);
    stroke-dasharray: 3 2;
  }
  .chart .span {
    stroke: var(--vscode-charts-foreground);
    stroke-width: 2;
  }
  .chart .hollow {
    fill: var(--vscode-editor-background);
    stroke: var(--vscode-charts-foreground);
    stroke-width: 1.5;
  }
  .chart .solid {
    fill: var(--vscode-charts-foreground);
  }
`;
