import { html, nothing, type TemplateResult } from "lit";
import { firstPart } from "./names";

/**
 * A short name in a column too narrow for it: cut from the left, since the end tells layers apart; but its first part,
 * most often the number of a block, stays. `12/attn/q_proj` is `12…/q_proj`.
 */
export function labelView(label: string): TemplateResult {
  const [first, rest] = firstPart(label);
  return html`${first === "" ? nothing : html`<span class="first">${first}</span>`}<span class="tail"
      ><bdi>${rest}</bdi></span
    >`;
}
