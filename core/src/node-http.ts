/**
 * `node:http`, for who needs it at once. An `import` of it runs every getter among its exports, and
 * with that of `WebSocket` loads another HTTP client: a fifth of what a short command takes.
 */
export const {
  Agent,
  IncomingMessage,
  request,
  ServerResponse,
  validateHeaderName,
  validateHeaderValue,
} = process.getBuiltinModule('node:http');
export type Agent = InstanceType<typeof Agent>;
export type IncomingMessage = InstanceType<typeof IncomingMessage>;
export type ServerResponse = InstanceType<typeof ServerResponse>;
