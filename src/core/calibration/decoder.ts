import type { ModelInput } from "./inputs";

// What exporters (Optimum, transformers.js, onnxruntime-genai) call the inputs of a text model beside its tokens, and what each is
// fed where a text is read from its beginning.

/** One number throughout, or numbers that count up along the last axis; `shape` is that of one text, its axis of texts left out. */
export interface UsualValue {
  readonly kind: "fill" | "range";
  readonly value: number;
  readonly shape: readonly number[];
}

/** The value of an input for a text of so many tokens; undefined where its sides do not say enough. */
type Rule = (input: ModelInput, tokens: number) => UsualValue | undefined;

const perToken =
  (kind: UsualValue["kind"], value: number): Rule =>
  ({ dims }, tokens) =>
    dims === undefined || dims.length === 1 || dims.length === 2 ? { kind, value, shape: [tokens] } : undefined;

const RULES: readonly (readonly [name: RegExp, rule: Rule])[] = [
  [/^attention_mask$/, perToken("fill", 1)],
  [/^(position_ids|cache_position)$/, perToken("range", 0)],
  [/^token_type_ids$/, perToken("fill", 0)],
  // Of a decoder with and without a past in one file: the part without computes all from the tokens.
  [/^use_cache_branch$/, () => ({ kind: "fill", value: 0, shape: [] })],
  [/^past[._]/, emptyPast],
];

/** Keys or values of a layer, [texts, heads, 0, size of a head]; a past of a fixed length is never empty. */
function emptyPast({ dims }: ModelInput): UsualValue | undefined {
  if (dims?.length !== 4) return undefined;
  const [, heads, length, size] = dims;
  if (typeof heads !== "number" || typeof size !== "number" || (typeof length === "number" && length > 0))
    return undefined;
  return { kind: "fill", value: 0, shape: [heads, 0, size] };
}

/** Whether an input goes, by its name, beside the tokens of a text. */
export function isBesideTokens({ name }: ModelInput): boolean {
  return RULES.some(([pattern]) => pattern.test(name));
}

/** Whether an input may take the tokens themselves. */
export function isTokens(input: ModelInput): boolean {
  return /^u?int(32|64)$/.test(input.type) && !isBesideTokens(input);
}

/** What an input beside a text of so many tokens is fed where nothing says it; undefined where that cannot be told. */
export function usualValue(input: ModelInput, tokens: number): UsualValue | undefined {
  return RULES.find(([pattern]) => pattern.test(input.name))?.[1](input, tokens);
}
