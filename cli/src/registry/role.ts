import { directRoleOf, execRoleOf, pullRoleOf, pushRoleOf } from '@reposure/core/install';
import type { ClientRole } from '@reposure/core/install';
import type { Registry } from '@reposure/core/resource';
import type { Command } from 'commander';
import { stringify } from 'yaml';

import { getRegistry, withCluster } from '../environment.ts';
import type { GlobalOptions } from '../environment.ts';
import { print } from '../output.ts';

/** What `registry role` is asked for; several at once are fine. */
interface RoleOptions extends GlobalOptions {
  readonly pull?: boolean;
  readonly push?: boolean;
  readonly exec?: boolean;
  readonly direct?: boolean;
}

/** `registry role NAME` */
export async function roleAction(name: string, _: unknown, command: Command): Promise<void> {
  const options = command.optsWithGlobals<RoleOptions>();
  await withCluster(options, async (environment) => {
    const grants = grantsFor(await getRegistry(environment, name), options);
    const roles = grants.map(({ role }) => role);
    await print(environment.format, {
      value: roles.length === 1 ? roles[0] : { apiVersion: 'v1', kind: 'List', items: roles },
      names: roles.map(({ metadata }) => `role.rbac.authorization.k8s.io/${metadata.name}`),
      text: grants.map(documentOf).join('\n---\n'),
    });
  });
}

/** A Role, and what to know before giving it to somebody. */
interface Grant {
  readonly role: ClientRole;
  readonly purpose: string;
}

/** Without a choice, whatever `--route=auto` may use to push. */
function grantsFor(registry: Registry, { pull, push, exec, direct }: RoleOptions): Grant[] {
  const isAny = !pull && !push && !exec && !direct;
  const pulling = {
    role: pullRoleOf(registry),
    purpose: `Pull through the API server's proxy (--route=proxy); pushes nothing.`,
  };
  const pushing = {
    role: pushRoleOf(registry),
    purpose: `Push, pull and delete through the API server's proxy (--route=proxy). The narrower way: no exec.`,
  };
  const executing = {
    role: execRoleOf(registry),
    purpose: `Push, pull and delete by exec (--route=exec), where the API server reaches no Pods.
# Whoever may exec into the surrogate's Pod can do all that it can; see SECURITY.md.`,
  };
  const going = {
    role: directRoleOf(registry),
    purpose: `Push, pull and delete straight from a Pod of the cluster (--route=direct), such as a pipeline's.
# It reads the registry's login. Print it anew when the Registry names other Secrets.`,
  };
  return [
    ...(pull ? [pulling] : []),
    ...(push || isAny ? [pushing] : []),
    ...(exec || isAny ? [executing] : []),
    ...(direct ? [going] : []),
  ];
}

function documentOf({ role, purpose }: Grant): string {
  return `# ${purpose}\n${stringify(role, { aliasDuplicateObjects: false }).trimEnd()}`;
}
