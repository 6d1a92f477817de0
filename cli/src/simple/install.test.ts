import { describe, expect, it } from 'vitest';

import { storageOf, tlsOf } from './install.ts';
import type { InstallFlags } from './install.ts';

const none: InstallFlags = { timeout: '2m' };

describe('tlsOf()', () => {
  it.each([
    [{}, undefined],
    [{ tls: true }, { from: 'own-ca' }],
    [{ authentication: true }, { from: 'own-ca' }],
    [{ tlsSecret: 'mine' }, { from: 'secret', name: 'mine' }],
    [
      { tls: true, tlsSecret: 'mine' },
      { from: 'secret', name: 'mine' },
    ],
    [{ tls: 'cert-manager' }, { from: 'cert-manager' }],
    [{ tls: 'cert-manager:ca' }, { from: 'cert-manager', issuer: { kind: 'Issuer', name: 'ca' } }],
    [
      { tls: 'cert-manager:ClusterIssuer/ca' },
      { from: 'cert-manager', issuer: { kind: 'ClusterIssuer', name: 'ca' } },
    ],
  ] as const)('%j', (flags, tls) => {
    expect(tlsOf({ ...none, ...flags })).toEqual(tls);
  });

  it.each([
    [{ tls: 'certmanager' }],
    [{ tls: 'cert-manager:' }],
    [{ tls: 'cert-manager:Other/ca' }],
    [{ tls: 'cert-manager', tlsSecret: 'mine' }],
  ])('refuses %j', (flags) => {
    expect(() => tlsOf({ ...none, ...flags })).toThrow(/^Cannot use .*want/);
  });
});

describe('storageOf()', () => {
  it.each([
    [{}, { kind: 'temporary' }],
    [{ sizeLimit: '5Gi' }, { kind: 'temporary', sizeLimit: '5Gi' }],
    [
      { storage: '5Gi', storageClass: 'x' },
      { kind: 'volume', size: '5Gi', storageClass: 'x' },
    ],
    [
      { s3Bucket: 'b', s3Secret: 's', s3Region: 'r' },
      { kind: 's3', bucket: 'b', secret: 's', region: 'r' },
    ],
  ])('%j', (flags, storage) => {
    expect(storageOf({ ...none, ...flags })).toEqual(storage);
  });

  it.each([
    [{ storage: '5Gi', sizeLimit: '5Gi' }, /--storage and --size-limit together/],
    [{ storage: '5Gi', s3Bucket: 'b' }, /--storage and --s3-bucket together/],
    [{ storageClass: 'x' }, /want --storage with it/],
    [{ s3Secret: 's' }, /want --s3-bucket with it/],
    [{ s3Bucket: 'b' }, /want --s3-secret/],
  ])('refuses %j', (flags, message) => {
    expect(() => storageOf({ ...none, ...flags })).toThrow(message);
  });
});
