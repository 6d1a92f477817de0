/** One way in that a registry offers. */
export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

const token = "[!#$%&'*+.^_`|~\\w-]+";
const quotedText = '"((?:[^"\\\\]|\\\\.)*)"';
const parameterItem = new RegExp(
  `^\\s*(?:(${token})\\s+)?(${token})\\s*=\\s*(?:${quotedText}|([^\\s"=][^\\s"]*))\\s*$`,
);
/** Alone, or with credentials of one word, which may end in `=`. */
const schemeItem = new RegExp(`^\\s*(${token})(?:\\s+[\\w.~+/-]+=*)?\\s*$`);
const itemsBetweenCommas = /(?:"(?:[^"\\]|\\.)*"|[^,"])+/g;

/**
 * Reads a `WWW-Authenticate` header, which may hold several challenges.
 *
 * @param header Several headers are joined by `, `; what cannot be read is left out.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 */
export function parseChallenges(header: string | undefined): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  for (const [item] of (header ?? '').matchAll(itemsBetweenCommas)) {
    const [, first, name, quoted, bare] = parameterItem.exec(item) ?? [];
    const scheme = first ?? (name ? undefined : schemeItem.exec(item)?.[1]);
    if (scheme) challenges.push({ scheme: scheme.toLowerCase(), parameters: {} });
    const last = challenges.at(-1);
    if (name && last) {
      last.parameters[name.toLowerCase()] = unquoted(quoted) ?? bare ?? '';
    }
  }
  return challenges;
}

function unquoted(text: string | undefined): string | undefined {
  return text?.replaceAll(/\\(.)/g, '$1');
}
