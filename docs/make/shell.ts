/** Ends a command, or begins one. */
const separators = '\n;&|(){}';

/**
 * The commands of a shell script as lists of words, those of `$(…)` and `<(…)` included.
 *
 * It knows what documents use: quotes, comments, continued lines, pipes and redirections. Nothing is
 * expanded.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
 */
export function commandsOf(script: string): string[][] {
  return new Reader(script).read();
}

class Reader {
  readonly #text: string;
  readonly #commands: string[][] = [];
  #at = 0;
  #words: string[] = [];
  #word: string | undefined;
  #isRedirected = false;

  constructor(text: string) {
    this.#text = text;
  }

  read(): string[][] {
    while (this.#at < this.#text.length) this.#step();
    this.#endCommand();
    return this.#commands;
  }

  #step(): void {
    const char = this.#text.charAt(this.#at);
    if (char === '\\') this.#escape();
    else if (char === "'") this.#take(this.#until("'"));
    else if (char === '"') this.#quoted();
    else if (this.#text.startsWith('$(', this.#at) || this.#text.startsWith('<(', this.#at))
      this.#substitution();
    else if (char === '#' && this.#word === undefined) this.#comment();
    else if (char === '>' || char === '<') this.#redirection();
    else if (separators.includes(char)) this.#separator();
    else if (/\s/.test(char)) this.#blank();
    else this.#take(char);
  }

  #take(text: string): void {
    this.#word = (this.#word ?? '') + text;
    this.#at++;
  }

  #escape(): void {
    const next = this.#text.charAt(++this.#at);
    if (next === '\n') this.#at++;
    else this.#take(next);
  }

  /** What is before the next such quote; stands on that quote then. */
  #until(quote: string): string {
    const end = this.#text.indexOf(quote, this.#at + 1);
    if (end < 0) throw new SyntaxError(`Cannot read a command: ${quote} is open`);
    const inside = this.#text.slice(this.#at + 1, end);
    this.#at = end;
    return inside;
  }

  #quoted(): void {
    this.#take('');
    while (this.#text.charAt(this.#at) !== '"') {
      if (this.#at >= this.#text.length) throw new SyntaxError('Cannot read a command: " is open');
      if (this.#text.startsWith('$(', this.#at)) this.#substitution();
      else if (this.#text.charAt(this.#at) === '\\') this.#escape();
      else this.#take(this.#text.charAt(this.#at));
    }
    this.#at++;
  }

  #substitution(): void {
    const start = this.#at;
    let depth = 0;
    do {
      const char = this.#text.charAt(++this.#at);
      if (char === '(') depth++;
      if (char === ')') depth--;
      if (char === '') throw new SyntaxError('Cannot read a command: ( is open');
    } while (depth > 0);
    this.#commands.push(...commandsOf(this.#text.slice(start + 2, this.#at)));
    this.#take(this.#text.slice(start, this.#at + 1));
  }

  #comment(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  #redirection(): void {
    // The number of a descriptor is no word: 2>file.
    if (/^\d+$/.test(this.#word ?? '')) this.#word = undefined;
    this.#endWord();
    while ('<>&'.includes(this.#text.charAt(this.#at)) && this.#at < this.#text.length) this.#at++;
    this.#isRedirected = true;
  }

  #separator(): void {
    this.#at++;
    this.#endCommand();
  }

  #blank(): void {
    this.#at++;
    this.#endWord();
  }

  #endWord(): void {
    if (this.#word === undefined) return;
    if (!this.#isRedirected) this.#words.push(this.#word);
    this.#isRedirected = false;
    this.#word = undefined;
  }

  #endCommand(): void {
    this.#endWord();
    if (this.#words.length > 0) this.#commands.push(this.#words);
    this.#words = [];
  }
}
