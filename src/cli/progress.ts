import { clearLine, cursorTo } from "node:readline";
import { shareDone } from "../protocol/work";
import type { QuantizeEvents } from "../engine/quantize";
import { percentOf, secondsOf, sizeOf } from "../core/report/words";
import { oneLine } from "./plain";

const BAR = 24;

/** Progress on standard error: a bar with the time left on a terminal, a line a layer elsewhere. */
export function progressOf(stream: NodeJS.WriteStream): QuantizeEvents & { end(): void } {
  const started = performance.now();
  let count = 0;
  let layers: readonly { name: string; bytesBefore: number }[] = [];

  const draw = (text: string): void => {
    cursorTo(stream, 0);
    clearLine(stream, 0);
    stream.write(text.slice(0, (stream.columns || 80) - 1));
  };
  const share = (): number =>
    shareDone(
      layers.map(layer => layer.bytesBefore),
      layers.map((_, k) => (k < count ? 1 : 0)),
    );
  const timeLeft = (): string => {
    const seconds = (performance.now() - started) / 1000;
    return count > 0 && count < layers.length ? `, about ${secondsOf(seconds * (1 / share() - 1))} left` : "";
  };
  const bar = (): string => {
    const filled = Math.round(BAR * share());
    return `[${"#".repeat(filled)}${".".repeat(BAR - filled)}]`;
  };
  return {
    onStage(stage) {
      const text = {
        reading: "reading the model",
        choosing: "trying each layer at every number of bits",
        writing: "writing the copy",
        checking: "checking the copy in onnxruntime",
      }[stage];
      if (stream.isTTY) draw(`${bar()} ${text}`);
      else stream.write(`${text}\n`);
    },
    onPlan(planned) {
      layers = planned;
    },
    onLayerStart(name) {
      if (stream.isTTY) draw(`${bar()} layer ${count + 1} of ${layers.length}: ${oneLine(name)}${timeLeft()}`);
    },
    onLayer(layer) {
      count++;
      const told = `layer ${count} of ${layers.length}: ${oneLine(layer.name)}, error ${percentOf(layer.layerErrorHeldOut ?? layer.layerError)}, ${sizeOf(layer.bytesBefore)} -> ${sizeOf(layer.bytesAfter)}`;
      if (stream.isTTY) draw(`${bar()} ${told}${timeLeft()}`);
      else stream.write(`${told}${timeLeft()}\n`);
    },
    end() {
      if (stream.isTTY) draw("");
    },
  };
}
