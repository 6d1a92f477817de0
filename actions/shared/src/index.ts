export type { Action, Done } from './action.ts';
export { withCluster } from './cluster.ts';
export { forInputs } from './for-inputs.ts';
export {
  clusterInputs,
  duration,
  flag,
  linesOf,
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
export { withRoute } from './route.ts';
export { runStep } from './run-step.ts';
export { linesTo } from './runner-log.ts';
export { isLikelySecret } from './secrets.ts';
export type { Step } from './step.ts';
export type { Summary } from './summary.ts';
