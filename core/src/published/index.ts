// What `@reposure/core` on npm has at its root: the workspace's own is for all of its parts.
export { collect, LimitExceededError, streamOf } from '../bytes.ts';
export type { ByteStream } from '../bytes.ts';
export {
  explain,
  InputError,
  isTransient,
  NotFoundError,
  ReposureError,
  TimeoutError,
  UnreachableError,
  UnsupportedError,
} from '../errors.ts';
export type { ErrorCode } from '../errors.ts';
export { silent } from '../log.ts';
export type { Log } from '../log.ts';
export type { OnProgress, Outcome, ProgressEvent } from '../progress.ts';
export { describeBytes, describeDuration } from '../quantities.ts';
export { version } from '../version.ts';
