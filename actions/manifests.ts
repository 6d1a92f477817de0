import type { Manifest } from '@reposure/action-shared/manifest';

import { manifest as push } from './push/src/manifest.ts';

/** Every action of this repository. */
export const manifests: readonly Manifest[] = [push];
