import { InputError } from '../errors.ts';
import type { Login } from './simple-login.ts';

const rounds = 10;
/** bcrypt does not look at more, so two longer passwords could be the same one. */
const maxPasswordBytes = 72;

/** The names in an htpasswd file, as they stand there. */
export function usersIn(htpasswd: string): string[] {
  return linesOf(htpasswd).map((line) => line.slice(0, line.indexOf(':')));
}

/** The file with this login in it, bcrypt: the only kind that Distribution takes; others stay. */
export async function withUser(htpasswd: string, login: Login): Promise<string> {
  checkLogin(login);
  // Loaded here: most commands never hash a password.
  const { hash } = await import('bcryptjs');
  const line = `${login.username}:${await hash(login.password, rounds)}`;
  return fileOf([...linesOf(withoutUser(htpasswd, login.username)), line]);
}

/** The file without that user. */
export function withoutUser(htpasswd: string, username: string): string {
  return fileOf(linesOf(htpasswd).filter((line) => !line.startsWith(`${username}:`)));
}

/** Whether an htpasswd file lets this login in. */
export async function isAdmitted(htpasswd: string, login: Login): Promise<boolean> {
  const prefix = `${login.username}:`;
  const line = linesOf(htpasswd).find((each) => each.startsWith(prefix));
  if (line === undefined) return false;
  const { compare } = await import('bcryptjs');
  return compare(login.password, line.slice(prefix.length));
}

/** @throws {InputError} if Distribution could not tell this user or password from another. */
export function checkLogin({ username, password }: Login): void {
  if (!/^[\w.@+-]{1,64}$/.test(username)) {
    throw new InputError(
      `Cannot use user name ${JSON.stringify(username)}: want at most 64 letters, digits and . _ @ + -`,
    );
  }
  const bytes = Buffer.byteLength(password);
  const refuse = (state: string): never => {
    throw new InputError(`Cannot use the password of "${username}": ${state}`);
  };
  if (bytes === 0) refuse('it is empty');
  if (bytes > maxPasswordBytes) refuse(`it has ${bytes} bytes; want at most ${maxPasswordBytes}`);
  if (/[\0\r\n]/.test(password)) refuse('it has more than one line');
}

function linesOf(htpasswd: string): string[] {
  return htpasswd.split(/\r?\n/).filter((line) => /^[^#:][^:]*:/.test(line));
}

function fileOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
