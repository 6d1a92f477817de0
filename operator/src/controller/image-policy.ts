import { CredentialsError } from '@reposure/core/providers';
import type { Credentials } from '@reposure/core/providers';

/**
 * Keeps a login from a surrogate that is not of the operator's own program.
 *
 * Whoever may create a Registry chooses its image; a login that is mounted into any image is a
 * login that is given to whoever made that image.
 */
export function withheldFrom(
  image: string,
  operatorImage: string,
  credentials: Credentials,
): Credentials {
  const { login, account, ...rest } = credentials;
  const withheld = login?.secret ?? account?.account;
  if (withheld === undefined || isOwnImage(image, operatorImage)) return credentials;
  const refusal = new CredentialsError(
    'LoginForOtherImage',
    `Cannot log in with ${withheld}: the surrogate's image is ${image}; want one of ${repositoryOf(operatorImage)}`,
  );
  return { ...rest, refusal };
}

/** Whether an image is one of the operator's own program, of whichever version. */
export function isOwnImage(image: string, operatorImage: string): boolean {
  return repositoryOf(image) === repositoryOf(operatorImage);
}

/** An image's name without tag and digest. */
function repositoryOf(image: string): string {
  const [named = ''] = image.split('@');
  const colon = named.lastIndexOf(':');
  return colon > named.lastIndexOf('/') ? named.slice(0, colon) : named;
}
