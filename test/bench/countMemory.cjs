// Loaded before a program: at its end it writes the peak of its resident memory, in bytes, and its seconds of CPU, to the file
// that COUNT_MEMORY names.
const { writeFileSync } = require("node:fs");
process.on("exit", () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const counted = { peakBytes: maxRSS * 1024, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 };
  writeFileSync(process.env.COUNT_MEMORY, JSON.stringify(counted));
});
