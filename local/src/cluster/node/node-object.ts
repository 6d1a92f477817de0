import type { GivenObject } from '../api/object.ts';
import { timestamp } from '../api/store.ts';
import { nodeName } from './node-context.ts';

const architecture = process.arch === 'x64' ? 'amd64' : process.arch;

/** The object of the one node: it is always ready. */
export function nodeObject(): GivenObject {
  const resources = { cpu: '2', memory: '4Gi', pods: '110' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: nodeName,
      labels: {
        'kubernetes.io/hostname': nodeName,
        'kubernetes.io/os': process.platform,
        'kubernetes.io/arch': architecture,
      },
    },
    spec: {},
    status: {
      capacity: resources,
      allocatable: resources,
      addresses: [
        { type: 'InternalIP', address: '127.0.0.1' },
        { type: 'Hostname', address: nodeName },
      ],
      conditions: [readiness()],
      nodeInfo: nodeInfo(),
    },
  };
}

function readiness(): Record<string, string> {
  const now = timestamp();
  return {
    type: 'Ready',
    status: 'True',
    reason: 'KubeletReady',
    message: 'this process runs Pods as local processes',
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  };
}

function nodeInfo(): Record<string, string> {
  const kubeletVersion = 'v1.36.0-reposure';
  return {
    architecture,
    operatingSystem: process.platform,
    kubeletVersion,
    kubeProxyVersion: kubeletVersion,
    osImage: 'Reposure embedded cluster',
    kernelVersion: process.version,
    containerRuntimeVersion: 'process://1',
    machineID: '',
    systemUUID: '',
    bootID: '',
  };
}
