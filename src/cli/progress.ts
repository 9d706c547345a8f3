import { clearLine, cursorTo } from "node:readline";
import type { QuantizeEvents } from "../engine/quantize";
import { percentOf, secondsOf, sizeOf } from "./words";

const BAR = 24;

/** Progress on standard error: a bar with the time left on a terminal, a line a layer elsewhere. */
export function progressOf(stream: NodeJS.WriteStream): QuantizeEvents & { end(): void } {
  const started = performance.now();
  let total = 0;
  let done = 0;
  let count = 0;
  let layers: readonly { name: string; bytesBefore: number }[] = [];

  const draw = (text: string): void => {
    cursorTo(stream, 0);
    clearLine(stream, 0);
    stream.write(text.slice(0, (stream.columns || 80) - 1));
  };
  /** Work grows with the weights of a layer; good enough to guess the rest from. */
  const timeLeft = (): string => {
    const seconds = (performance.now() - started) / 1000;
    return done > 0 && done < total ? `, about ${secondsOf((seconds * (total - done)) / done)} left` : "";
  };
  const bar = (): string => {
    const filled = total > 0 ? Math.round((BAR * done) / total) : 0;
    return `[${"#".repeat(filled)}${".".repeat(BAR - filled)}]`;
  };
  return {
    onStage(stage) {
      const text = {
        reading: "reading the model",
        writing: "writing the copy",
        checking: "checking the copy in onnxruntime",
      }[stage];
      if (stream.isTTY) draw(`${bar()} ${text}`);
      else stream.write(`${text}\n`);
    },
    onPlan(planned) {
      layers = planned;
      total = planned.reduce((sum, layer) => sum + layer.bytesBefore, 0);
    },
    onLayerStart(name) {
      if (stream.isTTY) draw(`${bar()} layer ${count + 1} of ${layers.length}: ${name}${timeLeft()}`);
    },
    onLayer(layer) {
      count++;
      done += layer.bytesBefore;
      const told = `layer ${count} of ${layers.length}: ${layer.name}, error ${percentOf(layer.layerErrorHeldOut ?? layer.layerError)}, ${sizeOf(layer.bytesBefore)} -> ${sizeOf(layer.bytesAfter)}`;
      if (stream.isTTY) draw(`${bar()} ${told}${timeLeft()}`);
      else stream.write(`${told}${timeLeft()}\n`);
    },
    end() {
      if (stream.isTTY) draw("");
    },
  };
}
