import { html, nothing, type TemplateResult } from "lit";
import { icon, type IconName } from "./icons";

/** What happened, what it means, and what can be done: the one shape of bad news on both pages. */
export function problemView(
  picture: IconName,
  colour: string,
  title: TemplateResult | string,
  sentences: readonly (TemplateResult | string)[],
  actions: TemplateResult | typeof nothing,
): TemplateResult {
  return html`<div class="problem">
    ${icon(picture, colour)}
    <h2>${title}</h2>
    ${sentences.map(sentence => html`<p>${sentence}</p>`)}
    ${actions === nothing ? nothing : html`<div class="actions">${actions}</div>`}
  </div>`;
}
