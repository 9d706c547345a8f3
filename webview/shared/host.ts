/** What VS Code gives a page, once. */
interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

/** A page's end of the conversation with the extension host. */
export interface Host<Out, State> {
  post(message: Out): void;
  /** What the page looked like before it was hidden or reloaded. */
  saved(): Partial<State>;
  save(state: State): void;
}

/** Connects once; what the host says comes to `receive`. The host is ours, and sends what the contract says. */
export function connectHost<Out, State extends object>(receive: (message: unknown) => void): Host<Out, State> {
  const api = acquireVsCodeApi();
  window.addEventListener("message", event => receive(event.data));
  return {
    post: message => api.postMessage(message),
    saved: () => api.getState() ?? {},
    save: state => api.setState(state),
  };
}

/** Draws at most once a frame, however often it is asked. */
export function onceAFrame(draw: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };
}

/** Long enough that a scroll is over, short enough that a page closed after it remembers. */
const SCROLLED_MS = 200;

/** Tells where the page stands once a scroll is over. */
export function onScrolled(tell: (scroll: number) => void): void {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  window.addEventListener("scroll", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => tell(window.scrollY), SCROLLED_MS);
  });
}
