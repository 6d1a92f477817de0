import { isDeepStrictEqual } from 'node:util';

import { isFields } from './object.ts';

/** A rule that was understood: says whether it holds for `self`. @throws {TypeError} where CEL would fail */
export type Rule = (self: unknown) => boolean;

type Expression = (self: unknown) => unknown;

const token =
  /\s*(?:(?<operator>&&|\|\||==|!=|[!().])|(?<text>'[^']*'|"[^"]*")|(?<number>\d+)|(?<word>[A-Za-z_]\w*))/y;

/**
 * Reads the small part of CEL that our own CRD uses: `has(self.x)`, `self.x`, literals, `!`, `==`,
 * `!=`, `&&`, `||` and parentheses.
 *
 * @throws {SyntaxError} for anything else: a rule that is not understood must not pass for one
 * that holds.
 * @see https://github.com/google/cel-spec/blob/v0.24.0/doc/langdef.md
 */
export function parseRule(text: string): Rule {
  const parser = new Parser(text);
  const expression = parser.parse();
  return (self) => booleanOf(expression(self), text);
}

function booleanOf(value: unknown, text: string): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`Cannot evaluate rule "${text}": no boolean`);
  return value;
}

class Parser {
  readonly #text: string;
  readonly #tokens: string[];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = this.#tokenize();
  }

  parse(): Expression {
    const expression = this.#or();
    if (this.#peek() !== undefined) this.#refuse(this.#peek());
    return expression;
  }

  #tokenize(): string[] {
    const tokens: string[] = [];
    token.lastIndex = 0;
    const text = this.#text.trimEnd();
    for (let at = 0; at < text.length; at = token.lastIndex) {
      const match = token.exec(text);
      if (!match) this.#refuse(text.slice(at).trim());
      else tokens.push(match[0].trim());
    }
    return tokens;
  }

  #refuse(found: string | undefined): never {
    throw new SyntaxError(
      `Cannot read CEL rule "${this.#text}": found ${found ? `"${found}"` : 'its end'}; ` +
        'want only has(self.x), self.x, literals, !, ==, !=, &&, || and parentheses, ' +
        'which is all that the embedded cluster evaluates',
    );
  }

  #peek(): string | undefined {
    return this.#tokens[this.#next];
  }

  #take(wanted: string): void {
    if (this.#peek() !== wanted) this.#refuse(this.#peek());
    this.#next++;
  }

  #or(): Expression {
    let left = this.#and();
    while (this.#peek() === '||') {
      this.#next++;
      left = either(left, this.#and(), this.#text);
    }
    return left;
  }

  #and(): Expression {
    let left = this.#equality();
    while (this.#peek() === '&&') {
      this.#next++;
      left = both(left, this.#equality(), this.#text);
    }
    return left;
  }

  #equality(): Expression {
    const left = this.#unary();
    const operator = this.#peek();
    if (operator !== '==' && operator !== '!=') return left;
    this.#next++;
    const right = this.#unary();
    return (self) => isDeepStrictEqual(left(self), right(self)) === (operator === '==');
  }

  #unary(): Expression {
    const first = this.#peek();
    if (first === '!') {
      this.#next++;
      const operand = this.#unary();
      return (self) => !booleanOf(operand(self), this.#text);
    }
    if (first === '(') {
      this.#next++;
      const inner = this.#or();
      this.#take(')');
      return inner;
    }
    return first === 'has' ? this.#has() : this.#value();
  }

  #has(): Expression {
    this.#next++;
    this.#take('(');
    const path = this.#path();
    this.#take(')');
    const last = path.at(-1);
    if (last === undefined) this.#refuse('has(self)');
    return (self) => {
      const parent = follow(self, path.slice(0, -1), this.#text);
      return isFields(parent) && last !== undefined && parent[last] !== undefined;
    };
  }

  #value(): Expression {
    const first = this.#peek() ?? '';
    if (first === 'self') {
      const path = this.#path();
      return (self) => follow(self, path, this.#text);
    }
    this.#next++;
    if (first === 'true' || first === 'false') return () => first === 'true';
    if (/^\d/.test(first)) return () => Number(first);
    if (/^['"]/.test(first)) return () => first.slice(1, -1);
    return this.#refuse(first || undefined);
  }

  #path(): string[] {
    this.#take('self');
    const path: string[] = [];
    while (this.#peek() === '.') {
      this.#next++;
      const name = this.#peek() ?? '';
      if (!/^[A-Za-z_]\w*$/.test(name)) this.#refuse(name || undefined);
      path.push(name);
      this.#next++;
    }
    return path;
  }
}

// In CEL, a side that decides forgives the other one its error.
function either(left: Expression, right: Expression, text: string): Expression {
  return (self) => {
    const first = attempt(left, self, text);
    if (first === true) return true;
    const second = attempt(right, self, text);
    if (second === true) return true;
    return settled(first, second, false);
  };
}

function both(left: Expression, right: Expression, text: string): Expression {
  return (self) => {
    const first = attempt(left, self, text);
    if (first === false) return false;
    const second = attempt(right, self, text);
    if (second === false) return false;
    return settled(first, second, true);
  };
}

function attempt(expression: Expression, self: unknown, text: string): boolean | Error {
  try {
    return booleanOf(expression(self), text);
  } catch (error) {
    return error instanceof Error ? error : new TypeError(text);
  }
}

function settled(first: boolean | Error, second: boolean | Error, value: boolean): boolean {
  if (first instanceof Error) throw first;
  if (second instanceof Error) throw second;
  return value;
}

function follow(self: unknown, path: readonly string[], text: string): unknown {
  let at = self;
  for (const name of path) {
    const inner = isFields(at) ? at[name] : undefined;
    if (inner === undefined)
      throw new TypeError(`Cannot evaluate rule "${text}": no such key: ${name}`);
    at = inner;
  }
  return at;
}
