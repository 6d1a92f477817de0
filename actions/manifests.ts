import type { Manifest } from '@reposure/action-shared/manifest';

import { manifest as deploy } from './deploy/src/manifest.ts';
import { manifest as pull } from './pull/src/manifest.ts';
import { manifest as push } from './push/src/manifest.ts';
import { manifest as setup } from './setup/src/manifest.ts';

/** Every action of this repository. */
export const manifests: readonly Manifest[] = [setup, push, pull, deploy];
