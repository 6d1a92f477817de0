import { ReposureError } from '@reposure/core';

/** What a Status says about the object that a request was about. */
export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly retryAfterSeconds?: number;
  readonly causes?: readonly {
    readonly reason: string;
    readonly message: string;
    readonly field?: string;
  }[];
}

/** A refusal of the API, which the client gets as a Status. @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
export class StatusError extends ReposureError {
  override readonly name = 'StatusError';
  readonly code = 'CLUSTER_RESPONSE';
  readonly status: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;

  /** @param status The HTTP status. @param reason One word, for programs. */
  constructor(status: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.details = details;
  }
}

/** Names an object in a refusal: `pods "x"`. */
export interface Named {
  /** `plural[.group]` */
  readonly resource: string;
  readonly name: string;
}

function detailsOf({ resource, name }: Named): StatusDetails {
  const dot = resource.indexOf('.');
  return dot === -1
    ? { name, kind: resource }
    : { name, group: resource.slice(dot + 1), kind: resource.slice(0, dot) };
}

/** 404: there is no such object. */
export function notFound(named: Named): StatusError {
  return new StatusError(
    404,
    'NotFound',
    `${named.resource} "${named.name}" not found`,
    detailsOf(named),
  );
}

/** 404: there is no such path. */
export function noSuchPath(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
}

/** 409: the name is taken. */
export function alreadyExists(named: Named): StatusError {
  return new StatusError(
    409,
    'AlreadyExists',
    `${named.resource} "${named.name}" already exists`,
    detailsOf(named),
  );
}

/** 409: somebody else was faster. */
export function conflict(named: Named, why: string): StatusError {
  return new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${named.resource} "${named.name}": ${why}`,
    detailsOf(named),
  );
}

/** 422: the object is not one that this resource may hold; `causes` name the fields. */
export function invalid(
  kind: string,
  name: string,
  causes: readonly { readonly field: string; readonly message: string; readonly reason?: string }[],
): StatusError {
  const group = kind.slice(kind.indexOf('.') + 1);
  const said = causes.map(({ field, message }) => `${field}: ${message}`);
  const text = said.length === 1 ? said[0] : `[${said.join(', ')}]`;
  return new StatusError(422, 'Invalid', `${kind} "${name}" is invalid: ${text}`, {
    name,
    kind: kind.split('.')[0] ?? kind,
    ...(kind.includes('.') ? { group } : {}),
    causes: causes.map(({ field, message, reason = 'FieldValueInvalid' }) => ({
      reason,
      message,
      field,
    })),
  });
}

/** 400: the request makes no sense. */
export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

/** 405: not a thing to do here. */
export function methodNotAllowed(): StatusError {
  return new StatusError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );
}

/** The Status object that says a failure to a client; what is not a refusal of ours is a 500. */
export function statusOf(error: unknown): Record<string, unknown> & { code: number } {
  const refusal =
    error instanceof StatusError
      ? error
      : new StatusError(500, 'InternalError', error instanceof Error ? error.message : 'unknown');
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: refusal.message,
    reason: refusal.reason,
    ...(refusal.details ? { details: refusal.details } : {}),
    code: refusal.status,
  };
}
