import {
  credentialsReasons,
  nodePullingReasons,
  resolutionReasons,
} from '@reposure/core/providers';
import { distrusts } from '@reposure/core/registry';

/** Every reason of each condition of a Registry. docs/troubleshooting.md has a section for each. */
export const conditionReasons = {
  Resolved: ['Resolved', ...resolutionReasons, 'ReadFailed'],
  CredentialsValid: [
    'Accepted',
    'NotNeeded',
    ...credentialsReasons,
    'Refused',
    'NotResolved',
    'NotAsked',
    'ReadFailed',
  ],
  Reachable: ['Answered', 'NoAnswer', ...distrusts, 'NotResolved', 'NotAsked', 'ReadFailed'],
  NodePullable: [...nodePullingReasons, 'NotResolved', 'ReadFailed'],
  Ready: ['Ready', 'ApplyFailed', 'ReadFailed', 'Suspended', 'SurrogateNotReady'],
} as const;

export type ConditionType = keyof typeof conditionReasons;
export type ConditionReason = (typeof conditionReasons)[ConditionType][number];
