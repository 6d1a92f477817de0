import { readExamples } from './examples.ts';
import type { GivenParam, Param } from './resources.ts';

interface Trigger {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly params?: readonly (GivenParam & Param)[];
    readonly resourcetemplates?: readonly object[];
    readonly triggers?: readonly {
      readonly bindings: readonly { readonly ref: string }[];
      readonly template: { readonly ref: string };
    }[];
  };
}

/**
 * What an EventListener makes of a request: each of its triggers' templates, with what bindings take
 * out of the body. Its interceptors are not run.
 *
 * @param file Below `examples/pipelines/tekton/`.
 * @throws {Error} if a param of the template is given by no binding.
 * @see https://github.com/tektoncd/triggers/blob/v0.34.0/docs/triggerbindings.md
 */
export function triggered(file: string, body: Readonly<Record<string, string>>): unknown[] {
  const all = readExamples(file) as Trigger[];
  const named = (kind: string, name: string): Trigger['spec'] => {
    const found = all.find((each) => each.kind === kind && each.metadata.name === name);
    if (!found) throw new Error(`there is no ${kind} ${name}`);
    return found.spec;
  };
  const listeners = all.filter(({ kind }) => kind === 'EventListener');
  return listeners
    .flatMap(({ spec }) => spec.triggers ?? [])
    .flatMap(({ bindings, template }) => {
      const values = new Map(
        bindings
          .flatMap(({ ref }) => named('TriggerBinding', ref).params ?? [])
          .map(({ name, value }) => [name, withBody(String(value), body)]),
      );
      const { params = [], resourcetemplates = [] } = named('TriggerTemplate', template.ref);
      for (const { name } of params) {
        if (!values.has(name)) throw new Error(`no binding gives ${name}`);
      }
      const json = JSON.stringify(resourcetemplates);
      const made = json.replace(/\$\(tt\.params\.([\w-]+)\)/g, (_, name: string) =>
        JSON.stringify(values.get(name) ?? '').slice(1, -1),
      );
      return JSON.parse(made) as unknown[];
    });
}

function withBody(text: string, body: Readonly<Record<string, string>>): string {
  return text.replace(/\$\(body\.([\w-]+)\)/g, (_, name: string) => {
    const value = body[name];
    if (value === undefined) throw new Error(`the body has no ${name}`);
    return value;
  });
}
