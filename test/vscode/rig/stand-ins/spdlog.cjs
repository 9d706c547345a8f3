/**
 * Stands for the native module @vscode/spdlog, which would have to be compiled. VS Code writes its logs through it, the
 * extensions' log channels among them: without it those stay empty, and every log that is opened prints a page of errors.
 */
const { appendFileSync, mkdirSync } = require("node:fs");
const { dirname } = require("node:path");

const LEVELS = ["trace", "debug", "info", "warning", "error", "critical"]; // Numbered from 0; 6 is off.

class Logger {
  #file;
  #level = LEVELS.indexOf("info");
  #plain = false;

  constructor(kind, name, file) {
    mkdirSync(dirname(file), { recursive: true });
    this.#file = file;
  }
  #write(level, message) {
    if (level < this.#level) return;
    const time = new Date().toISOString().replace("T", " ").replace("Z", "");
    appendFileSync(this.#file, this.#plain ? message : `${time} [${LEVELS[level]}] ${message}\n`);
  }
  trace = message => this.#write(0, message);
  debug = message => this.#write(1, message);
  info = message => this.#write(2, message);
  warn = message => this.#write(3, message);
  error = message => this.#write(4, message);
  critical = message => this.#write(5, message);
  getLevel = () => this.#level;
  setLevel = level => void (this.#level = level);
  clearFormatters = () => void (this.#plain = true);
  // Every line is on disk at once and always in VS Code's own pattern: nothing to do.
  setPattern = () => undefined;
  flush = () => undefined;
  drop = () => undefined;
}

exports.version = 0;
exports.setLevel = () => undefined;
exports.setFlushOn = () => undefined;
exports.Logger = Logger;
exports.createRotatingLogger = async (name, file) => new Logger("rotating", name, file);
exports.createAsyncRotatingLogger = async (name, file) => new Logger("rotating_async", name, file);
