/** Says at most one thing every ten seconds; of what comes in between only the last. */
const LEAST_MS = 10_000;

/** A sink for what a screen reader should hear; `say` puts words on the page. */
export function announcer(
  say: (words: string) => void,
  now: () => number,
  later: (ms: number, run: () => void) => void,
): (words: string) => void {
  let last = -Infinity;
  let waiting: string | null = null;
  let said = "";
  const speak = (words: string): void => {
    last = now();
    waiting = null;
    if (words === said) return;
    said = words;
    say(words);
  };
  return words => {
    const wait = last + LEAST_MS - now();
    if (wait <= 0) return speak(words);
    if (waiting === null) later(wait, () => speak(waiting ?? words));
    waiting = words;
  };
}
