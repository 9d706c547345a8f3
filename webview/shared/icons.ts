import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit";

// Sixteen by sixteen, strokes in the colour of the text beside them. Drawn here rather than taken from the codicon font:
// these few take 2 KB, the font 120 KB and a rule in the page's Content-Security-Policy.
const shapes = {
  chevron: svg`<path d="M6.2 3.8 10.4 8l-4.2 4.2" />`,
  down: svg`<path d="M3.8 6.2 8 10.4l4.2-4.2" />`,
  up: svg`<path d="M3.8 9.8 8 5.6l4.2 4.2" />`,
  warning: svg`<path d="M8 2.2 14.4 13.4H1.6Zm0 4.4v3.2m0 1.7v.3" />`,
  worst: svg`<path class="fill" d="M8 2 15 14H1Z" />`,
  info: svg`<circle cx="8" cy="8" r="6" /><path d="M8 7.4v3.8M8 4.8v.3" />`,
  error: svg`<circle cx="8" cy="8" r="6" /><path d="m5.8 5.8 4.4 4.4m0-4.4-4.4 4.4" />`,
  stopped: svg`<circle cx="8" cy="8" r="6" /><path d="m3.8 3.8 8.4 8.4" />`,
  pass: svg`<circle cx="8" cy="8" r="6" /><path d="m5.3 8.2 1.9 2 3.5-4.2" />`,
  check: svg`<path d="m3.2 8.5 3.1 3.1 6.5-7" />`,
  filter: svg`<path d="M2 4.5h12M4.5 8h7m-4.5 3.5h2" />`,
  sort: svg`<path d="M5 3v9.8M2.6 10.4 5 12.8l2.4-2.4M11 13V3.2M8.6 5.6 11 3.2l2.4 2.4" />`,
  waiting: svg`<circle cx="8" cy="8" r="4.4" stroke-dasharray="1.6 1.86" />`,
  working: svg`<path d="M13.2 8A5.2 5.2 0 1 1 8 2.8" />`,
  lock: svg`<path d="M3.5 7.2h9v6.3h-9Zm1.8 0V5.1a2.7 2.7 0 0 1 5.4 0v2.1" />`,
  close: svg`<path d="m4 4 8 8m0-8-8 8" />`,
  open: svg`<path d="M9 2.5h4.5V7M13.2 2.8 8 8M11.5 9.5v4h-9v-9h4" />`,
  reveal: svg`<path d="M1.8 12.8V3.4h4.3l1.6 1.8h6.5v7.6Z" />`,
} satisfies Record<string, SVGTemplateResult>;

export type IconName = keyof typeof shapes;

/** A picture beside words that say the same. */
export function icon(name: IconName, classes = ""): TemplateResult {
  return html`<svg class="icon ${classes}" viewBox="0 0 16 16" aria-hidden="true">${shapes[name]}</svg>`;
}

/** A picture that says something by itself. */
export function labelledIcon(name: IconName, label: string, classes = ""): TemplateResult {
  return html`<svg class="icon ${classes}" viewBox="0 0 16 16" role="img" aria-label=${label}>
    ${shapes[name]}
  </svg>`;
}
