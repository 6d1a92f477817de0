/**
 * Reduces a `Location` or the target of a `Link` to origin form, so that what is sent there goes to
 * the registry that was asked and to nobody else.
 *
 * A host in it is dropped, whatever it is: a registry inside a cluster often names itself as its
 * users outside do, and an upload, which carries a login, is never sent to another one.
 *
 * @param base The path of the request that was answered.
 * @returns Path and query, or `undefined` if `location` is not a URL.
 */
export function originForm(location: string, base: string): string | undefined {
  const url = URL.parse(location, `http://registry.invalid${base}`);
  if (!url || !/^https?:$/.test(url.protocol)) return undefined;
  // Two slashes in front would make the rest a host for whoever resolves it again.
  return `${url.pathname.replace(/^\/{2,}/, '/')}${url.search}`;
}

/**
 * The target of `rel="next"` in a `Link` header.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8288#section-3
 */
export function nextLink(header: string | undefined): string | undefined {
  for (const [, target, parameters] of (header ?? '').matchAll(/<([^>]*)>((?:\s*;[^,<]*)*)/g)) {
    if (/;\s*rel\s*=\s*(?:next\b|"(?:[^"]*\s)?next(?:\s[^"]*)?")/i.test(parameters ?? '')) {
      return target;
    }
  }
  return undefined;
}
