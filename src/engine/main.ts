// The engine as a process of its own: the extension host forks it, asks through EngineContract, and ends it to cancel.
import type { EngineContract, HostContract } from "../protocol/contract";
import { type Channel, openChannel, type Port } from "../protocol/channel";
import { inspect } from "./inspect";
import { quantize, type QuantizeEvents } from "./quantize";
import { runtimeVersion } from "./runtime";

// Past `ulimit -f` the system sends a signal that ends a process; with a listener, writing fails with EFBIG instead.
process.on("SIGXFSZ", () => undefined);
// Nobody is left to tell: a run whose window was closed leaves nothing behind (files.ts cleans up on exit).
process.on("disconnect", () => process.exit());

const port: Port = {
  // After a disconnect there is no `send`, and this process is about to end.
  post: message => process.send?.(message),
  onMessage: listener => process.on("message", listener),
};

const channel: Channel<EngineContract, HostContract> = openChannel<EngineContract, HostContract>(port, {
  inspect: ({ path }) => inspect(path),
  quantize: job => quantize(job, events()),
});
channel.emit("log", {
  level: "info",
  text: `Engine ${process.pid}: Node ${process.versions.node}, onnxruntime ${runtimeVersion}`,
});

function events(): QuantizeEvents {
  return {
    onPlan: layers => channel.emit("plan", { layers }),
    onStage: stage => channel.emit("stage", { stage }),
    onLayerStart: name => channel.emit("layerStart", { name }),
    onLayer: (layer, detail) => channel.emit("layer", { layer, detail: detail() }),
  };
}
