import type { ExecExit } from './client.ts';
import { Status } from './kubernetes-error.ts';

/** How a program ended, from the Status on the error channel. */
export function exitOf(payload: Uint8Array): ExecExit {
  const said = parseStatus(Buffer.from(payload).toString());
  if (!said) return { exitCode: undefined, message: 'the API said something that is no Status' };
  const message = said.message ?? '';
  if (said.status === 'Success') return { exitCode: 0, message };
  const code = said.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  const isCode = said.reason === 'NonZeroExitCode' && code !== undefined && /^\d+$/.test(code);
  return { exitCode: isCode ? Number(code) : undefined, message };
}

function parseStatus(text: string): Status | undefined {
  try {
    return Status.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** One clause for a person. */
export function describeExit({ exitCode, message }: ExecExit): string {
  return exitCode === undefined ? `failed: ${message}` : `ended with exit code ${exitCode}`;
}
