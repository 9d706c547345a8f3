import { html, type TemplateResult } from "lit";
import { pieces } from "./text";

/** A sentence whose parts between ** are bold. */
export function rich(english: string, ...values: readonly (string | number)[]): TemplateResult {
  return html`${pieces(english, ...values).map(({ bold, text }) => (bold ? html`<b>${text}</b>` : text))}`;
}
