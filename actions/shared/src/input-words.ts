/**
 * Says in a workflow's words what core says in those of the command line: an input is called as the
 * option is, or its plural. Commands to be typed, between backticks, stay what they are.
 *
 * @param inputs Their names.
 */
export function inInputWords(message: string, inputs: readonly string[]): string {
  const said = (text: string): string =>
    text.replaceAll(/--([a-z]+(?:-[a-z]+)*)/g, (option, name: string) => {
      const input = inputs.find((known) => known === name || known === `${name}s`);
      return input === undefined ? option : `the input "${input}"`;
    });
  return message
    .split('`')
    .map((part, index) => (index % 2 === 0 ? said(part) : part))
    .join('`');
}
