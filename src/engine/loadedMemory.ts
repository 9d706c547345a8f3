// A process of its own that loads one model, as a user's program would, and answers how many bytes that made it grow by.
import { openSession } from "./runtime";

process.on("disconnect", () => process.exit());
process.once("message", path => {
  void grownBy(String(path)).then(
    bytes => process.send!({ bytes }, () => process.exit()),
    (error: unknown) => process.send!({ error: String(error) }, () => process.exit()),
  );
});

async function grownBy(path: string): Promise<number> {
  const before = process.memoryUsage.rss();
  const session = await openSession(path, { weightsAlone: false, threads: 1 });
  const after = process.memoryUsage.rss();
  await session.release();
  return Math.max(0, after - before);
}
