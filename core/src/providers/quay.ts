import type { HostedKind } from './hosted-kind.ts';

/** Quay.io, or Quay where it was installed. @see https://docs.quay.io/glossary/robot-accounts.html */
export const quay: HostedKind = {
  name: 'quay',
  summary: 'Quay.io, or Quay by --host or --service; ORGANISATION/NAME',
  hosts: /^quay\.io(:443)?$/,
  loginAdvice:
    'Quay wants a robot account (ORGANISATION+NAME) with write permission on the repository; a user who logs in by another service has no password for it',
};
