import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { evaluate } from "../../src/engine/evaluate";

// The float models of the pack, scored by us: what the pack's makers measured, and the outputs they stored.

interface Entry {
  readonly id: string;
  readonly model: string;
  readonly golden_files?: readonly string[];
  readonly float: {
    readonly top1?: number;
    readonly top5?: number;
    readonly cross_entropy_nats?: number;
    readonly next_token_accuracy?: number;
  };
}
const PACK = "../shared/data";
const { entries } = JSON.parse(readFileSync(`${PACK}/manifest.json`, "utf8")) as { entries: Entry[] };

for (const { id, model, golden_files: golden, float } of entries) {
  test(`${id} scores as the pack says`, async () => {
    const found = await evaluate({
      model: `${PACK}/models/${model}`,
      against: undefined,
      data: `${PACK}/manifest.json#${id}`,
      // DNSMOS takes seconds a window.
      samples: id === "dnsmos" ? 1 : undefined,
      asRun: false,
      threads: 2,
    });
    if (float.top1 !== undefined) {
      // One decoder of JPEG differs from another by up to 0.75 point.
      assert.ok(Math.abs(found.top1! - float.top1) <= 0.0075, `${found.top1} and ${float.top1}`);
      assert.ok(Math.abs(found.top5! - float.top5!) <= 0.0075, `${found.top5} and ${float.top5}`);
    }
    if (float.cross_entropy_nats !== undefined) {
      assert.ok(Math.abs(found.crossEntropy! - float.cross_entropy_nats) < 1e-4);
      assert.ok(Math.abs(found.nextTokenAccuracy! - float.next_token_accuracy!) < 1e-4);
    }
    if (golden) assert.ok(found.outputError! < 1e-5, `${found.outputError}`);
    assert.ok(float.top1 ?? float.cross_entropy_nats ?? golden, "The entry says nothing to hold against.");
  });
}
