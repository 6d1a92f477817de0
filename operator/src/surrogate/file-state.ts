import { stat } from 'node:fs/promises';

/** Changes with the file; a mounted Secret is replaced as a whole, by another link. */
export async function stateOf(file: string): Promise<string> {
  try {
    const { ino, mtimeMs, size } = await stat(file);
    return `${ino}:${mtimeMs}:${size}`;
  } catch {
    return 'absent'; // or unreadable, which reading it says better
  }
}
