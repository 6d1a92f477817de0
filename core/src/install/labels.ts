import { version } from '../version.ts';

/**
 * The recommended labels of what we install.
 *
 * @param name Also the only one that selectors use: it never changes.
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
 */
export function labelsOf(name: string, component: string): Record<string, string> {
  return {
    ...selectorOf(name),
    'app.kubernetes.io/component': component,
    'app.kubernetes.io/part-of': 'reposure',
    'app.kubernetes.io/managed-by': 'reposure',
    'app.kubernetes.io/version': version,
  };
}

/** The label by which Deployments and Services find their Pods. */
export function selectorOf(name: string): Record<string, string> {
  return { 'app.kubernetes.io/name': name };
}
