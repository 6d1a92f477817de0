import type { HostedKind } from './hosted-kind.ts';

/**
 * Harbor, wherever it was installed. It cannot make a project by a push.
 *
 * @see https://goharbor.io/docs/2.14.0/working-with-projects/project-configuration/create-robot-accounts/
 */
export const harbor: HostedKind = {
  name: 'harbor',
  summary: 'Harbor, by --host or --service; PROJECT/NAME in a project that exists',
  loginAdvice:
    'Harbor wants a robot account of the project with the rights to push and to pull (its name begins with robot$); robot accounts may expire, and the project must exist',
};
