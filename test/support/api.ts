import { request } from 'node:https';
import { json } from 'node:stream/consumers';

/** POSTs JSON to the Kubernetes API, and answers with what came back. */
export async function requestJson(
  url: string,
  options: { readonly ca: string; readonly token: string; readonly body: unknown },
): Promise<unknown> {
  const { ca, token, body } = options;
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const asked = request(url, { method: 'POST', ca, headers }, (response) => {
      json(response).then(resolve, reject);
    });
    asked.on('error', reject);
    asked.end(JSON.stringify(body));
  });
}
