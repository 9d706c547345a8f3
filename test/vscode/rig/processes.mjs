/** The processes a server has started: all of them end with it, and nothing else does. */
import { readFileSync, readdirSync } from "node:fs";
import { STOP_MS, until } from "./patience.mjs";

export function isAlive(pid) {
  return stat(pid) !== undefined;
}

/** Who `pid` has started, whoever these have started, and so on: each with its command line, the living only. */
export function descendants(pid) {
  return tree(pid)
    .filter(other => other !== pid && isAlive(other))
    .map(other => ({ pid: other, command: commandLine(other) }));
}

function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return ""; // It has ended.
  }
}

/** Asks `pid` and everything it started to end, and kills what has not ended after a while. */
export async function stopTree(pid) {
  const pids = tree(pid);
  signal(pids, "SIGTERM");
  await until(
    () => !pids.some(isAlive),
    STOP_MS,
    () => "",
  ).catch(() => undefined);
  killTree(pid, pids);
}

/** Kills at once: for the moment when this process itself is ending and cannot wait. */
export function killTree(pid, pids = []) {
  signal([...new Set([...pids, ...tree(pid)])].filter(isAlive), "SIGKILL");
}

/**
 * The descendants of `pid`, and whoever shares its session: a process whose parent died is no descendant any more, but
 * keeps the session. Give only the pid of a process started as leader of its own session (`detached: true`).
 */
function tree(pid) {
  const all = readdirSync("/proc")
    .filter(name => /^\d+$/.test(name))
    .map(name => ({ pid: Number(name), ...stat(Number(name)) }));
  const found = new Set([pid]);
  for (const { pid: other, session } of all) if (session === pid) found.add(other);
  for (const ancestor of found) for (const { pid: other, parent } of all) if (parent === ancestor) found.add(other);
  return [...found];
}

/** @returns {{ parent: number, session: number } | undefined} undefined when there is no such process, or only its corpse. */
function stat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command stands second, in parentheses, and may hold spaces and parentheses itself: read from the last one.
    const [state, parent, , session] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? undefined : { parent: Number(parent), session: Number(session) };
  } catch {
    return undefined; // It has ended.
  }
}

function signal(pids, name) {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended between our look and our call.
    }
  }
}
