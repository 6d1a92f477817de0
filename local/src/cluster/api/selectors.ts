import type { StoredObject } from './object.ts';
import { fieldsOf, isFields } from './object.ts';
import { badRequest } from './status.ts';

/** Whether an object is meant. */
export type Predicate = (object: StoredObject) => boolean;

type Labels = Readonly<Record<string, string>>;
type Requirement = (labels: Labels) => boolean;

/**
 * Reads a label selector: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`, joined by commas.
 *
 * @throws {StatusError} 400 for any other text.
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
export function parseLabelSelector(text: string): Predicate {
  const requirements = splitOutsideParentheses(text).map(requirementOf);
  return ({ metadata }) => {
    const labels = metadata.labels ?? {};
    return requirements.every((holds) => holds(labels));
  };
}

function splitOutsideParentheses(text: string): string[] {
  const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim());
  return parts.filter(Boolean);
}

const setBased = /^(?<key>[\w./-]+)\s+(?<not>not)?in\s*\((?<values>[^()]*)\)$/;
const equality = /^(?<key>[\w./-]+)\s*(?<operator>==|=|!=)\s*(?<value>[\w.-]*)$/;
const existence = /^(?<not>!)?\s*(?<key>[\w./-]+)$/;

function requirementOf(text: string): Requirement {
  const inSet = setBased.exec(text)?.groups;
  if (inSet) {
    const values = new Set((inSet['values'] ?? '').split(',').map((value) => value.trim()));
    const { key = '', not } = inSet;
    return (labels) => values.has(labels[key] ?? '\0') !== Boolean(not);
  }
  const equal = equality.exec(text)?.groups;
  if (equal) {
    const { key = '', value = '', operator } = equal;
    return (labels) => (labels[key] === value) !== (operator === '!=');
  }
  const exists = existence.exec(text)?.groups;
  if (exists) {
    const { key = '', not } = exists;
    return (labels) => (labels[key] !== undefined) !== Boolean(not);
  }
  throw badRequest(`Cannot parse label selector: found "${text}"; want key=value or key in (a,b)`);
}

/** Fields that a selector may name, for any resource: paths into the object. */
const selectableFields: ReadonlySet<string> = new Set([
  'metadata.name',
  'metadata.namespace',
  'status.phase',
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.serviceAccountName',
  'spec.unschedulable',
  'type',
  'reason',
  'source',
  'reportingComponent',
  ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
    (field) => `involvedObject.${field}`,
  ),
]);

/**
 * Reads a field selector: `path=value`, `path==value`, `path!=value`, joined by commas.
 *
 * @throws {StatusError} 400 for a field that cannot be selected by.
 */
export function parseFieldSelector(text: string): Predicate {
  const requirements = text
    .split(',')
    .filter(Boolean)
    .map((part) => {
      const {
        path = '',
        operator,
        value,
      } = /^(?<path>[\w.]+)(?<operator>==|=|!=)(?<value>.*)$/.exec(part.trim())?.groups ?? {
        path: part,
      };
      if (!operator || !selectableFields.has(path)) {
        throw badRequest(`field label not supported: ${path}`);
      }
      return (object: StoredObject) => (textAt(object, path) === value) !== (operator === '!=');
    });
  return (object) => requirements.every((holds) => holds(object));
}

function textAt(object: StoredObject, path: string): string {
  // An Event's `source` means its component.
  const steps = path === 'source' ? ['source', 'component'] : path.split('.');
  let at: unknown = object;
  for (const step of steps) at = fieldsOf(at)[step];
  return at === undefined || at === null || isFields(at)
    ? ''
    : `${at as string | number | boolean}`;
}

/** Both selectors of a query as one predicate. */
export function selectorOf(query: URLSearchParams): Predicate {
  const byLabel = parseLabelSelector(query.get('labelSelector') ?? '');
  const byField = parseFieldSelector(query.get('fieldSelector') ?? '');
  return (object) => byLabel(object) && byField(object);
}
