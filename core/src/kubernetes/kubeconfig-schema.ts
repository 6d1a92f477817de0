import * as z from 'zod';

/** Go leaves empty fields out or writes them as `null` or `""`: all three mean "not set". */
const text = z
  .string()
  .nullish()
  .transform((value) => value || undefined);
const texts = z.array(z.string()).nullish();
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
/** `clusters[].cluster` */
export const Cluster = z.object({
  server: text,
  'certificate-authority': text,
  'certificate-authority-data': text,
  'insecure-skip-tls-verify': flag,
  'tls-server-name': text,
  'proxy-url': text,
  extensions: z.array(z.looseObject({ name: z.string() })).nullish(),
});
export type Cluster = z.infer<typeof Cluster>;

/** `users[].user.exec` @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins */
export const ExecConfig = z.object({
  apiVersion: z.string().default('client.authentication.k8s.io/v1'),
  command: z.string().min(1),
  args: texts,
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  installHint: text,
  provideClusterInfo: flag,
  interactiveMode: z.enum(['Never', 'IfAvailable', 'Always']).nullish(),
});
export type ExecConfig = z.infer<typeof ExecConfig>;

/** `users[].user` */
export const User = z.object({
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  as: text,
  'as-uid': text,
  'as-groups': texts,
  'as-user-extra': z.record(z.string(), z.array(z.string())).nullish(),
  exec: ExecConfig.nullish(),
  'auth-provider': z
    .object({ name: z.string(), config: z.record(z.string(), z.string()).nullish() })
    .nullish(),
});
export type User = z.infer<typeof User>;

/** `contexts[].context` */
export const Context = z.object({ cluster: text, user: text, namespace: text });
export type Context = z.infer<typeof Context>;

const name = z.string();

/** One kubeconfig file. @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
export const KubeconfigFile = z.object({
  'current-context': text,
  clusters: z.array(z.object({ name, cluster: Cluster.nullish() })).nullish(),
  users: z.array(z.object({ name, user: User.nullish() })).nullish(),
  contexts: z.array(z.object({ name, context: Context.nullish() })).nullish(),
});
export type KubeconfigFile = z.infer<typeof KubeconfigFile>;
