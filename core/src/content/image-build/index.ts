export { buildImage } from './build-image.ts';
export type { BuildOptions, BuildTarget, NewLayer } from './build-image.ts';
export type { ImageSettings } from './image-config.ts';
export { treeOfFolder } from './layer-tree.ts';
export type { LayerTree } from './layer-tree.ts';
export { nodePath, nodeRuntime, nonRoot } from './node-runtime.ts';
export type { NodeRuntime } from './node-runtime.ts';
export { parsePacking } from '../packing.ts';
