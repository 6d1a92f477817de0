import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { writeAtomically } from './atomic-folder.ts';
import type { Container, Pod, Volume } from './objects.ts';
import { PathMapping } from './path-mapping.ts';
import { SetupError } from './setup-error.ts';
import { filesOf, shows } from './volume-content.ts';
import type { VolumeSource } from './volume-content.ts';

/** Where the volumes of one Pod are: a folder per volume, and links to them in each container's root. */
export class PodVolumes {
  readonly #folder: string;
  readonly #source: VolumeSource;
  readonly #claimFolderOf: (claim: string) => string;

  /**
   * @param folder The Pod's own.
   * @param claimFolderOf Where a PersistentVolumeClaim of the Pod's namespace keeps its files.
   * It throws SetupError if there is no such claim.
   */
  constructor(folder: string, source: VolumeSource, claimFolderOf: (claim: string) => string) {
    this.#folder = folder;
    this.#source = source;
    this.#claimFolderOf = claimFolderOf;
  }

  get #pod(): Pod {
    return this.#source.pod;
  }

  /** The folder that stands for `/` of a container. */
  rootOf(container: Container): string {
    return join(this.#folder, 'root', container.name);
  }

  /** How the container's paths are found on this machine. */
  mappingOf(container: Container): PathMapping {
    const paths = (container.volumeMounts ?? []).map(({ mountPath }) => mountPath);
    return new PathMapping(this.rootOf(container), paths);
  }

  /**
   * Makes all volumes, and mounts them into every container.
   *
   * @throws {SetupError} naming the volume that cannot be made yet; what is there already stays.
   */
  mount(): void {
    for (const volume of this.#pod.spec.volumes ?? []) this.#fill(volume);
    const { containers, initContainers = [] } = this.#pod.spec;
    for (const container of [...initContainers, ...containers]) this.#mountInto(container);
  }

  /** Brings the files of a changed Secret or ConfigMap up to date; what is gone keeps its last state. */
  refresh(resource: 'secrets' | 'configmaps', name: string): void {
    for (const volume of this.#pod.spec.volumes ?? []) {
      if (!shows(volume, resource, name)) continue;
      try {
        this.#fill(volume);
      } catch (error) {
        if (!(error instanceof SetupError)) throw error;
      }
    }
  }

  #fill(volume: Volume): void {
    const folder = this.#folderOf(volume);
    try {
      mkdirSync(folder, { recursive: true });
      const files = filesOf(this.#source, volume);
      if (files) writeAtomically(folder, files);
      else if (!volume.emptyDir && !volume.persistentVolumeClaim) throw unknownKind(volume);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      throw new SetupError(
        `MountVolume.SetUp failed for volume "${volume.name}" : ${error.message}`,
        { cause: error },
      );
    }
  }

  #folderOf({ name, persistentVolumeClaim: claim }: Volume): string {
    if (claim) return this.#claimFolderOf(claim.claimName);
    return join(this.#folder, 'volumes', name);
  }

  #mountInto(container: Container): void {
    const mapping = this.mappingOf(container);
    mkdirSync(mapping.hostPathOf('/'), { recursive: true });
    // Outer mounts first: an inner one lies in the outer one's folder.
    const mounts = (container.volumeMounts ?? []).toSorted(
      (a, b) => a.mountPath.length - b.mountPath.length,
    );
    for (const { name, mountPath, subPath } of mounts) {
      const volume = this.#pod.spec.volumes?.find((each) => each.name === name);
      if (!volume) throw new SetupError(`Cannot mount ${mountPath}: the Pod has no volume ${name}`);
      const target = mapping.hostPathOf(mountPath);
      mkdirSync(dirname(target), { recursive: true });
      rmSync(target, { recursive: true, force: true });
      if (subPath) this.#mountSubPath(volume, subPath, target);
      else symlinkSync(this.#folderOf(volume), target);
    }
  }

  /** A subPath of an object's volume never changes, as on a real node. */
  #mountSubPath(volume: Volume, subPath: string, target: string): void {
    const path = join(this.#folderOf(volume), subPath);
    const isWritable = volume.emptyDir ?? volume.persistentVolumeClaim;
    if (!existsSync(path)) {
      if (!isWritable)
        throw new SetupError(`Cannot mount ${subPath}: volume ${volume.name} lacks it`);
      mkdirSync(path, { recursive: true });
    }
    if (isWritable) symlinkSync(path, target);
    else cpSync(path, target, { recursive: true, dereference: true });
  }
}

function unknownKind({ name: _name, ...rest }: Volume): SetupError {
  const kind = Object.keys(rest).join(', ');
  return new SetupError(
    `the embedded cluster has no volumes of kind ${kind}; want secret, configMap, emptyDir, projected, downwardAPI or persistentVolumeClaim`,
  );
}
