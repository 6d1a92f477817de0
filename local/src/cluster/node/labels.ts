import type { LabelSelector } from './objects.ts';

/** Whether labels satisfy a selector; an empty selector selects everything, as in the API. */
export function isSelected(
  selector: LabelSelector,
  labels: Readonly<Record<string, string>> = {},
): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every((expression) => isSatisfied(expression, labels[expression.key]))
  );
}

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

function isSatisfied({ operator, values = [] }: Expression, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}
