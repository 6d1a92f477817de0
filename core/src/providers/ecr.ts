import type { HostedKind } from './hosted-kind.ts';

/**
 * Amazon's registries. A push makes no repository unless a creation template says so.
 *
 * @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
 */
export const ecr: HostedKind = {
  name: 'ecr',
  summary: 'Amazon ECR; the repository exists before the push; logins end after 12 hours',
  hosts:
    /^(?:\d{12}\.dkr[.-]ecr(?:-fips)?\.[\w-]+\.(?:amazonaws\.com(?:\.cn)?|on\.aws)|public\.ecr\.aws)(:443)?$/,
  hostForm: 'ACCOUNT.dkr.ecr.REGION.amazonaws.com',
  loginAdvice:
    'ECR wants the user AWS and the password that `aws ecr get-login-password` prints, which ends after 12 hours: have it renewed in the Secret, by a CronJob or External Secrets; the repository must exist',
};
