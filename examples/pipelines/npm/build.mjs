import { openSink, storeImage } from '@reposure/core/content';

import { build } from './images.mjs';

// node build.mjs hello|pipeline TARGET: an image of this project as an archive, or as a layout.
const [name, target] = process.argv.slice(2);
const { npm_package_version: version = '0.0.0' } = process.env;
const image = await build(name, version);
try {
  await storeImage(image, await openSink(target), { name: `${name}:${version}` });
} finally {
  await image.close();
}
