// Loaded before a program: at its end it writes the peak of its resident memory, in bytes, to the file that COUNT_MEMORY names.
const { writeFileSync } = require("node:fs");
process.on("exit", () => writeFileSync(process.env.COUNT_MEMORY, String(process.resourceUsage().maxRSS * 1024)));
