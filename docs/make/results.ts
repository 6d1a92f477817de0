import { BridgeRecord } from '@reposure/core/bridge';
import { DeployResult } from '@reposure/core/deploy';
import type {
  PullSecret,
  Renewal,
  SimpleHosts,
  SimpleStatus,
  SimpleUser,
} from '@reposure/core/install';
import type { Registry } from '@reposure/core/resource';
import { CopyResult, TransferResult } from '@reposure/core/transfer';
import type { DeleteResult, ListedImage } from '@reposure/core/transfer';
import type * as z from 'zod';

/** What commands print that is described where it is made. */
export interface DescribedResult {
  readonly title: string;
  readonly type: z.ZodType;
  /** Without `reposure`. */
  readonly commands: readonly string[];
  /** These print an array of it. */
  readonly lists?: readonly string[];
}

/** What a command prints that only has a type. */
export interface Result {
  /** Without `reposure`. */
  readonly command: string;
  /** It prints an array of these. */
  readonly isList?: boolean;
  /** Every field, by its name, and whether it is always there. */
  readonly fields: Readonly<Record<string, boolean>>;
  readonly note?: string;
}

/** Those with a section of their own. */
export const describedResults: readonly DescribedResult[] = [
  {
    title: 'A push or a pull',
    type: TransferResult,
    commands: ['image push', 'image pull', 'bundle push', 'operator image load'],
  },
  {
    title: 'A copy, in addition',
    type: CopyResult.pick({ source: true, referrers: true }),
    commands: ['image copy'],
  },
  { title: 'A deployment', type: DeployResult, commands: ['deploy'] },
  {
    title: 'A bridge',
    type: BridgeRecord,
    commands: ['bridge run'],
    lists: ['bridge status', 'bridge stop'],
  },
];

/** A field may be missing if its type allows `undefined`: the compiler holds this to the types. */
type Fields<T> = { readonly [Name in keyof T]-?: undefined extends T[Name] ? false : true };

const hosts: Fields<SimpleHosts> = { pushHost: true, pullHost: false, ingressHost: false };
const installed = { namespace: true, deployment: true, state: true };
const registry: Fields<Omit<Registry, 'spec'>> & { readonly spec: true } = {
  apiVersion: true,
  kind: true,
  metadata: true,
  spec: true,
  status: false,
};

/** The others. */
export const results: readonly Result[] = [
  {
    command: 'image list',
    isList: true,
    fields: {
      repository: true,
      tag: true,
      digest: true,
      mediaType: true,
    } satisfies Fields<ListedImage>,
  },
  {
    command: 'image delete',
    isList: true,
    fields: { repository: true, tag: false, digest: true } satisfies Fields<DeleteResult>,
  },
  { command: 'registry create', fields: registry, note: 'The Registry, as the API has it' },
  { command: 'registry describe', fields: registry, note: 'The same' },
  { command: 'registry list', isList: true, fields: registry, note: 'The same' },
  { command: 'registry info', fields: {}, note: 'The field that was asked for' },
  { command: 'registry delete', fields: { name: true, namespace: true, state: true } },
  {
    command: 'registry pull-secret',
    fields: {
      namespace: true,
      secret: true,
      serviceAccounts: true,
      state: true,
      host: false,
    } satisfies Fields<PullSecret>,
  },
  {
    command: 'registry role',
    fields: { apiVersion: true, kind: true, metadata: false, rules: false, items: false },
    note: 'A Role, or a List of them',
  },
  { command: 'registry rotate-keys', fields: { secrets: true } },
  { command: 'operator install', fields: installed },
  { command: 'operator uninstall', fields: installed },
  { command: 'operator image save', fields: { name: true, digest: true, to: true } },
  { command: 'simple install', fields: { ...installed, ...hosts } },
  { command: 'simple uninstall', fields: installed },
  {
    command: 'simple status',
    fields: {
      namespace: true,
      image: false,
      replicas: true,
      availableReplicas: true,
      storage: true,
      bucket: false,
      isReadOnly: true,
      tls: false,
      users: false,
      ...hosts,
    } satisfies Fields<SimpleStatus>,
  },
  { command: 'simple host', fields: { host: true, ...hosts } },
  {
    command: 'simple user add',
    fields: { name: true, password: false },
    note: 'The password only if it was made',
  },
  {
    command: 'simple user list',
    isList: true,
    fields: { name: true, isOwn: true } satisfies Fields<SimpleUser>,
  },
  { command: 'simple user remove', fields: { name: true, state: true } },
  { command: 'simple user rotate', fields: { name: true, password: false } },
  {
    command: 'simple renew',
    fields: { namespace: true, ...({ phase: true, isServed: true } satisfies Fields<Renewal>) },
  },
  { command: 'simple gc', fields: { blobs: true, manifests: true, dryRun: true } },
  { command: 'artifact create', fields: { artifacts: true, push: true } },
  { command: 'artifact use', fields: { folders: true } },
  { command: 'version', fields: { version: true, node: true, platform: true } },
];
