import { renameSync, writeFileSync } from 'node:fs';

/** The names of the cluster and their addresses, in a file that every program of ours reads. */
export class HostsFile {
  readonly path: string;
  #written = '';

  constructor(path: string) {
    this.path = path;
    this.write({});
  }

  /** Replaces all names. @param hosts From `name.namespace` to IPv4 addresses. */
  write(hosts: Readonly<Record<string, readonly string[]>>): void {
    const text = JSON.stringify(hosts);
    if (text === this.#written) return;
    // Renamed into place: a reader never sees half of it.
    writeFileSync(`${this.path}.new`, text);
    renameSync(`${this.path}.new`, this.path);
    this.#written = text;
  }
}
