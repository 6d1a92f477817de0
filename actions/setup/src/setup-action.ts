import * as runner from '@actions/core';
import { forInputs, withCluster } from '@reposure/action-shared';
import type { Action, Done, Step } from '@reposure/action-shared';
import { version } from '@reposure/core';
import { checkOperator, installOperator } from '@reposure/core/install';
import type { KubernetesClient } from '@reposure/core/kubernetes';
import { names } from '@reposure/core/resource';
import type { Registry } from '@reposure/core/resource';

import { startBridge } from './bridge.ts';
import type { Bridge } from './bridge.ts';
import { Inputs } from './inputs.ts';
import { writeLaunchers } from './launchers.ts';
import type { Program } from './launchers.ts';
import { readyRegistry, writeCa } from './registry.ts';

/** `actions/setup`. @param program The command line. */
export function setupAction(program: Program): Action<Inputs> {
  return {
    name: 'setup',
    title: 'Setup',
    inputs: Inputs,
    cancelled: 'what was installed stays, and the next run goes on with it',
    keepsFolder: true,
    subjects: ({ registry }) => [`Registry ${registry}`],
    main: (inputs, step) => setup(inputs, program, step),
  };
}

/** What waits inside says better what it has waited for. */
const graceMs = 2000;

async function setup(inputs: Inputs, program: Program, step: Step): Promise<Done> {
  const { registry, caFile } = await withCluster(
    inputs,
    step,
    async (cluster, signal) => {
      const within = { ...step, signal };
      await step.group('Operator', () => readyOperator(cluster, inputs, within));
      return await step.group('Registry', async () => {
        const ready = await readyRegistry(cluster, inputs, within);
        return { registry: ready, caFile: await writeCa(cluster, ready, within) };
      });
    },
    { graceMs },
  );
  if (inputs.cli) runner.addPath(await writeLaunchers(step.folder, program));
  const bridge = inputs.bridge
    ? await step.group('Bridge', () => startBridge(inputs, program, step))
    : undefined;
  const kubeconfig = inputs['export-kubeconfig'] ? step.kubeconfig : undefined;
  exportAll({ ...bridge?.env, ...(kubeconfig ? { KUBECONFIG: kubeconfig } : {}) });
  return {
    outputs: {
      ...hostsOf(registry),
      'ca-file': caFile,
      version,
      bridge: bridge?.address ?? '',
      kubeconfig: kubeconfig ?? '',
    },
    summary: {
      heading: 'Registry',
      tables: [{ columns, rows: [rowOf(registry, bridge)] }],
    },
  };
}

const columns = ['Registry', 'Provider', 'Nodes pull', 'Pods push', 'Reposure', 'Bridge'];

/** For the steps behind this one. */
function exportAll(variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) runner.exportVariable(name, value);
}

function hostsOf({ status }: Registry): Record<string, string> {
  const { pushHost = '', pullHost = pushHost } = status ?? {};
  return { 'registry-host': pullHost, 'push-host': pushHost };
}

async function readyOperator(
  cluster: KubernetesClient,
  inputs: Inputs,
  { log, signal }: Step,
): Promise<void> {
  const { image, timeout: timeoutMs } = inputs;
  const namespace = inputs.namespace ?? cluster.namespace;
  if (inputs.operator === 'install') {
    await installOperator(cluster, { namespace, image, wait: true, timeoutMs, log, signal });
  }
  if (inputs.operator !== 'check') return;
  const found = await forInputs(['operator', 'namespace'], () =>
    checkOperator(cluster, { namespace, timeoutMs, signal }),
  );
  log.info(`The operator in namespace "${namespace}" works: ${found.image}`);
  if (found.image !== names.image(version)) {
    log.warn(
      `The operator's image is ${found.image}, and this is Reposure ${version}; the input "operator": install upgrades it`,
    );
  }
}

function rowOf({ metadata, status }: Registry, bridge: Bridge | undefined): string[] {
  const { pushHost = '–', pullHost = '–', provider = '–' } = status ?? {};
  const name = `${metadata.namespace}/${metadata.name}`;
  return [name, provider, pullHost, pushHost, version, bridge?.address ?? '–'];
}
