import manifest from '../package.json' with { type: 'json' };

/** The version of Reposure, of its image and of its packages: they are released together. */
export const version: string = manifest.version;
