/** Segments of what RFC 3986 lets into a path, from `/v2` on; the empty last one is `/v2/`. */
const servable = /^\/v2(?:\/[\w.~%:@!$&'()*+,;=-]+)*\/?$/;
/** What some servers decode before they look for dots and slashes, and others after. */
const ambiguous = /%(?:2e|2f|5c|00|25)|\/\.{1,2}(?:\/|$)/i;
const query = /^[\u0021\u0022\u0024-\u007E]*$/;

/**
 * Checks what a request asks for: the gateway serves `/v2/` of one registry and nothing else.
 *
 * @param target As in the request line.
 * @returns Origin form to ask the registry for, or `undefined` for what is not served.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2
 */
export function servedPathOf(target: string | undefined): string | undefined {
  if (target === undefined) return undefined;
  const at = target.indexOf('?');
  const path = at < 0 ? target : target.slice(0, at);
  const search = at < 0 ? '' : target.slice(at);
  if (!servable.test(path) || ambiguous.test(path) || !query.test(search)) return undefined;
  return `${path === '/v2' ? '/v2/' : path}${search}`;
}

/**
 * Makes a `Location` one that can be asked of the gateway again.
 *
 * The host is dropped and not compared: a registry behind a proxy names itself as outsiders call
 * it, or with the wrong scheme, and what is asked of the gateway reaches this registry in any case.
 *
 * @param location Absolute, origin form, or relative to `path`.
 * @returns Origin form, or `undefined` where it leads out of `/v2/`.
 */
export function originFormOf(location: string, path: string): string | undefined {
  const url = URL.parse(location, `http://registry.invalid${path}`);
  return url ? servedPathOf(`${url.pathname}${url.search}`) : undefined;
}

/**
 * Makes the targets of a `Link` header relative, as {@link originFormOf}.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8288#section-3
 */
export function originFormLink(link: string, path: string): string {
  return link.replaceAll(/<([^>]*)>/g, (whole, target: string) => {
    const relative = originFormOf(target, path);
    return relative === undefined ? whole : `<${relative}>`;
  });
}
