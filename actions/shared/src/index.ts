export type { Action, Done } from './action.ts';
export { withCluster, withRoute } from './cluster.ts';
export {
  clusterInputs,
  flag,
  optional,
  parsedBy,
  required,
  sourceText,
  summaryInput,
  text,
  timeoutInput,
  transferInputs,
  withDefault,
  wordsOf,
} from './inputs.ts';
export { hostRun } from './program.ts';
export { remoteAccess } from './remote-access.ts';
export { runStep } from './run-step.ts';
export { linesTo } from './runner-log.ts';
export { isLikelySecret } from './secrets.ts';
export type { Step } from './step.ts';
export type { Summary } from './summary.ts';
