import { describe, expect, it } from 'vitest';

import { SignatureError, signatureHeaders, verifySignature } from './message-signature.ts';
import { signableRequest } from './signed-messages.ts';

/** @see https://www.rfc-editor.org/rfc/rfc9421#appendix-B.1.5 */
const sharedSecret = Buffer.from(
  'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==',
  'base64',
).toString('base64url');

/** @see https://www.rfc-editor.org/rfc/rfc9421#appendix-B.2.5 */
const vector = {
  method: 'POST',
  url: 'https://example.com/foo?param=Value&Pet=dog',
  headers: {
    host: 'example.com',
    date: 'Tue, 20 Apr 2021 02:07:55 GMT',
    'content-type': 'application/json',
    'content-length': '18',
    'signature-input':
      'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
    signature: 'sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:',
  },
};
const vectorKey = (keyId: string): string | undefined =>
  keyId === 'test-shared-secret' ? sharedSecret : undefined;

const key = Buffer.alloc(32, 7).toString('base64url');
const facts = { key, keyId: 'k1', createdSeconds: 1_700_000_000, nonce: 'abcdefghijklmnop' };
const derived = ['@method', '@path', '@query'];
const options = { keyOf: (id: string) => (id === 'k1' ? key : undefined), required: derived };

const asked = signableRequest('PUT', '/v2/a/manifests/1?x=1', { 'content-type': 'a/b' });
async function signed(): Promise<typeof asked> {
  const headers = await signatureHeaders(asked, derived, facts);
  return { ...asked, headers: { ...asked.headers, ...headers } };
}

describe('verifySignature()', () => {
  it('takes the hmac-sha256 example of RFC 9421, appendix B.2.5', async () => {
    const verified = await verifySignature(vector, { keyOf: vectorKey, required: ['date'] });
    expect([...verified.covered]).toEqual(['date', '@authority', 'content-type']);
    expect(verified.createdSeconds).toBe(1_618_884_473);
  });

  it('refuses that example once what it covers is another', async () => {
    const headers = { ...vector.headers, date: 'Tue, 20 Apr 2021 02:07:56 GMT' };
    const vectorOptions = { keyOf: vectorKey, required: [] };
    const changed = { ...vector, headers };
    await expect(verifySignature(changed, vectorOptions)).rejects.toThrow(SignatureError);
  });

  it('tells who signed, when, and what is covered', async () => {
    const verified = await verifySignature(await signed(), options);
    const { key: _, ...said } = facts;
    expect(verified).toEqual({ ...said, covered: new Set([...derived, 'content-type']) });
  });

  it.each([
    ['another method', { method: 'DELETE' }],
    ['another path', { url: 'https://gateway/v2/a/manifests/2?x=1' }],
    ['another query', { url: 'https://gateway/v2/a/manifests/1?x=2' }],
    ['no query', { url: 'https://gateway/v2/a/manifests/1' }],
  ])('refuses %s than was signed', async (_, change) => {
    const message = { ...(await signed()), ...change };
    await expect(verifySignature(message, options)).rejects.toThrow(/does not fit/);
  });

  it.each([
    ['a header that is another', { 'content-type': 'a/c' }, /does not fit/],
    ['a signature that is cut', { signature: 'reposure=:AAAA:' }, /does not fit/],
    ['a signature of nothing', { signature: 'other=:AAAA:' }, /makes no sense/],
    ['no structured field', { 'signature-input': 'reposure=(' }, /makes no sense/],
  ])('refuses %s', async (_, headers, message) => {
    const { headers: before, ...rest } = await signed();
    const changed = { ...rest, headers: { ...before, ...headers } };
    await expect(verifySignature(changed, options)).rejects.toThrow(message);
  });

  it('refuses a message whose signature was taken away', async () => {
    await expect(verifySignature(asked, options)).rejects.toThrow(/not signed/);
  });

  it('refuses a key that is not known, and one of the same name', async () => {
    const message = await signed();
    const stranger = { ...options, keyOf: () => undefined };
    await expect(verifySignature(message, stranger)).rejects.toThrow(/key is not known/);
    const other = { ...options, keyOf: () => Buffer.alloc(32, 8).toString('base64url') };
    await expect(verifySignature(message, other)).rejects.toThrow(/does not fit/);
  });

  it('refuses a signature that covers less than it has to', async () => {
    const headers = await signatureHeaders(asked, ['@method', '@path'], facts);
    const message = { ...asked, headers: { ...asked.headers, ...headers } };
    await expect(verifySignature(message, options)).rejects.toThrow(/makes no sense/);
  });

  it('refuses two signatures, be both right', async () => {
    const { headers, ...rest } = await signed();
    const twice = (name: string): string =>
      [headers[name], String(headers[name]).replace('reposure', 'again')].join(', ');
    const message = {
      ...rest,
      headers: {
        ...headers,
        signature: twice('signature'),
        'signature-input': twice('signature-input'),
      },
    };
    await expect(verifySignature(message, options)).rejects.toThrow(/does not fit/);
  });

  it('takes a path as the API server encodes it anew', async () => {
    const at = (path: string): ReturnType<typeof signableRequest> =>
      signableRequest('GET', path, {});
    const headers = await signatureHeaders(at('/v2/a/x%3Ay%2Bz'), derived, facts);
    const verified = await verifySignature({ ...at('/v2/a/x:y+z'), headers }, options);
    expect(verified.keyId).toBe('k1');
    await expect(verifySignature({ ...at('/v2/a/x:y%20z'), headers }, options)).rejects.toThrow(
      /does not fit/,
    );
  });
});
