const END = 0x06054b50;
const ENTRY = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;

/** Names of the files in a zip archive without a comment, from its central directory. */
export function zipEntries(bytes) {
  const end = bytes.length - END_BYTES;
  if (bytes.readUInt32LE(end) !== END) throw new Error("This is no zip archive, or one with a comment.");
  const count = bytes.readUInt16LE(end + 10);
  let at = bytes.readUInt32LE(end + 16);
  return Array.from({ length: count }, () => {
    if (bytes.readUInt32LE(at) !== ENTRY) throw new Error(`No entry of the directory at ${at}.`);
    const [name, extra, comment] = [28, 30, 32].map(offset => bytes.readUInt16LE(at + offset));
    const text = bytes.toString("utf8", at + ENTRY_BYTES, at + ENTRY_BYTES + name);
    at += ENTRY_BYTES + name + extra + comment;
    return text;
  });
}
