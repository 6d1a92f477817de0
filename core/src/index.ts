export { collect, LimitExceededError, sha256Hex, streamOf } from './bytes.ts';
export type { ByteStream } from './bytes.ts';
export { makeServerCertificate } from './certificates.ts';
export type { ServerCertificate, ServerNames } from './certificates.ts';
export {
  errorCodes,
  explain,
  InputError,
  isTransient,
  NotFoundError,
  ReposureError,
  TimeoutError,
  UnreachableError,
  UnsupportedError,
} from './errors.ts';
export type { ErrorCode } from './errors.ts';
export { parseDurationMs, parseInput } from './input.ts';
export { silent } from './log.ts';
export type { Log } from './log.ts';
export type { OnProgress, Outcome, ProgressEvent } from './progress.ts';
export { describeBytes, describeDuration } from './quantities.ts';
export { retry } from './retry.ts';
export type { RetryOptions } from './retry.ts';
export { version } from './version.ts';
export { writeWholeFile } from './whole-file.ts';
