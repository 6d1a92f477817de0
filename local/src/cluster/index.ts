export { startCluster } from './cluster.ts';
export type { ClusterOptions, LocalCluster } from './cluster.ts';
export type { Program, ProgramContainer, ProgramTable } from './node/program.ts';
