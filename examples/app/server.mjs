import { createServer } from 'node:http';

// The sample application: it answers with its version. VERSION is in its image, so that whoever asks
// learns which image runs. FAILS makes a version that does not: it crashes, or never becomes ready.
const { VERSION: version = 'unknown', PORT: port = '8080', FAILS: failure } = process.env;

if (failure === 'crash') {
  process.stderr.write('Cannot read /etc/hello/settings.json: it does not exist\n');
  process.exit(3);
}

const server = createServer((request, response) => {
  const isReady = failure !== 'ready';
  if (request.url === '/ready') {
    response.writeHead(isReady ? 200 : 503).end(isReady ? 'ready\n' : 'the cache is not warm\n');
  } else {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify({ app: 'hello', version })}\n`);
  }
});
server.listen(Number(port), () => {
  process.stdout.write(`hello ${version} listens on ${port}\n`);
});

// A Service takes a moment to learn that a Pod goes: answer until then, so that no request is lost.
process.once('SIGTERM', () => {
  setTimeout(() => {
    server.close();
    server.closeIdleConnections();
  }, 3000);
});
