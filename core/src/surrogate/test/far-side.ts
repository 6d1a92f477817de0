// The far side of a session, without the files that the surrogate's own program reads.
import { explain } from '../../errors.ts';
import { gatewayHandler } from '../gateway.ts';
import { serveSession } from '../server-session.ts';
import { StdioStream } from '../stdio-stream.ts';
import { plainTransport } from './support.ts';

const [host = ''] = process.argv.slice(2);
const stream = new StdioStream(process.stdin, process.stdout);
try {
  await serveSession(stream, gatewayHandler({ upstream: plainTransport(host) }));
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
}
process.stdin.unref();
