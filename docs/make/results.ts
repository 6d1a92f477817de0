/** What a command prints with `-o json`, other than the result of a transfer. */
export interface Result {
  /** Without `reposure`. */
  readonly command: string;
  /** It prints an array of these. */
  readonly isList?: boolean;
  /** Every field, by its name; those that may be missing end with `?`. */
  readonly fields: readonly string[];
  readonly note?: string;
}

/** The commands that print a `TransferResult`. */
export const transfers: readonly string[] = [
  'image push',
  'image pull',
  'image copy',
  'bundle push',
  'operator image load',
];

const resource = ['apiVersion', 'kind', 'metadata', 'spec', 'status?'];
const hosts = ['pushHost', 'pullHost?', 'ingressHost?'];
const bridge = [
  'address',
  'namespace',
  'registry',
  'pid',
  'configDir',
  'env',
  'route',
  'pullHost?',
  'startedAt',
];

/** The others. */
export const results: readonly Result[] = [
  { command: 'image list', isList: true, fields: ['repository', 'tag', 'digest'] },
  { command: 'image delete', isList: true, fields: ['repository', 'tag?', 'digest?'] },
  {
    command: 'deploy',
    fields: ['objects', 'images', 'pruned', 'conflicts?', 'dryRun', 'durationMs'],
  },
  {
    command: 'registry create',
    fields: resource,
    note: 'The Registry, as the API has it',
  },
  { command: 'registry describe', fields: resource, note: 'The same' },
  { command: 'registry list', isList: true, fields: resource, note: 'The same' },
  { command: 'registry info', fields: [], note: 'The field that was asked for' },
  { command: 'registry delete', fields: ['name', 'namespace', 'state'] },
  {
    command: 'registry pull-secret',
    fields: ['namespace', 'secret', 'serviceAccounts', 'state', 'host?'],
  },
  {
    command: 'registry role',
    fields: ['apiVersion', 'kind', 'metadata?', 'rules?', 'items?'],
    note: 'A Role, or a List of them, for `kubectl apply`',
  },
  { command: 'registry rotate-keys', fields: ['secrets'] },
  { command: 'operator install', fields: ['namespace', 'deployment', 'state'] },
  { command: 'operator uninstall', fields: ['namespace', 'deployment', 'state'] },
  { command: 'operator image save', fields: ['name', 'digest', 'to'] },
  { command: 'simple install', fields: ['namespace', 'deployment', 'state', ...hosts] },
  { command: 'simple uninstall', fields: ['namespace', 'deployment', 'state'] },
  {
    command: 'simple status',
    fields: [
      'namespace',
      'image?',
      'replicas',
      'availableReplicas',
      'storage',
      'bucket?',
      'isReadOnly',
      'tls?',
      'users?',
      ...hosts,
    ],
  },
  { command: 'simple host', fields: ['host', ...hosts] },
  {
    command: 'simple user add',
    fields: ['name', 'password?'],
    note: 'The password only if it was made',
  },
  { command: 'simple user list', isList: true, fields: ['name', 'isOwn'] },
  { command: 'simple user remove', fields: ['name', 'state'] },
  { command: 'simple user rotate', fields: ['name', 'password?'] },
  { command: 'simple renew', fields: ['namespace', 'phase', 'isServed'] },
  { command: 'simple gc', fields: ['blobs', 'manifests', 'dryRun'] },
  { command: 'bridge run', fields: bridge, note: 'Once it answers' },
  { command: 'bridge status', isList: true, fields: bridge },
  { command: 'bridge stop', isList: true, fields: bridge },
  { command: 'artifact create', fields: ['artifacts', 'push'] },
  { command: 'artifact use', fields: ['folders'] },
  { command: 'version', fields: ['version', 'node', 'platform'] },
];
