/**
 * Reads the records of a pax extended header: `<length> <key>=<value>\n`, the length in bytes.
 *
 * Ours, because the one of `tar` goes by lines, and names may hold newlines.
 *
 * @returns `undefined` if they are malformed.
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_03
 */
export function parsePaxRecords(bytes: Buffer): ReadonlyMap<string, string> | undefined {
  const records = new Map<string, string>();
  for (let start = 0; start < bytes.length;) {
    const space = bytes.indexOf(0x20, start);
    const digits = space < 0 ? '' : bytes.toString('latin1', start, space);
    const end = start + Number(digits);
    if (!/^\d{1,9}$/.test(digits) || end > bytes.length || end < space + 3) return undefined;
    if (bytes[end - 1] !== 0x0a) return undefined;
    const record = bytes.toString('utf8', space + 1, end - 1);
    const equals = record.indexOf('=');
    if (equals < 1) return undefined;
    records.set(record.slice(0, equals), record.slice(equals + 1));
    start = end;
  }
  return records;
}
