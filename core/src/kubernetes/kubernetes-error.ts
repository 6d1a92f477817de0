import * as z from 'zod';

import { ReposureError } from '../errors.ts';

/** One of a Status' `details.causes`. */
const StatusCause = z.object({
  reason: z.string().optional(),
  message: z.string().optional(),
  field: z.string().optional(),
});
export type StatusCause = z.infer<typeof StatusCause>;

/**
 * How the API says that something did not work.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
 */
export const Status = z.object({
  status: z.string().optional().catch(undefined),
  message: z.string().optional().catch(undefined),
  reason: z.string().optional().catch(undefined),
  code: z.number().optional().catch(undefined),
  details: z
    .object({
      retryAfterSeconds: z.number().optional().catch(undefined),
      causes: z.array(StatusCause).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});
export type Status = z.infer<typeof Status>;

/** A field that somebody else manages, and that was not to be taken over. */
export interface FieldConflict {
  /** As managedFields has it: `kubectl-edit`, `helm`. */
  readonly manager: string;
  /** `.spec.replicas` */
  readonly field: string;
}

/** What a {@link KubernetesError} is made of. */
export interface RefusalOptions {
  /** HTTP status; 0 if there was none. */
  readonly status: number;
  /** The API's machine-readable reason, such as `NotFound`. */
  readonly reason?: string | undefined;
  /** The API's own sentence. */
  readonly message?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** Its `details.causes`. */
  readonly causes?: readonly StatusCause[] | undefined;
  /** What a person may do about it: one clause. */
  readonly nextStep?: string | undefined;
  readonly isExpectedBack?: boolean | undefined;
}

/** The Kubernetes API answered a request with a Status that says no. */
export class KubernetesError extends ReposureError {
  override readonly name = 'KubernetesError';
  readonly code = 'CLUSTER_RESPONSE';
  /** HTTP status; 0 if there was none. */
  readonly status: number;
  /** `NotFound`, `Forbidden`, `Conflict`, `AlreadyExists`, `Expired`, `Unauthorized`, … */
  readonly reason: string;
  /** What the server asked for with Retry-After; 0 if it did not. */
  readonly retryAfterMs: number;
  readonly #causes: readonly StatusCause[];
  readonly #isExpectedBack: boolean;

  /** @param action `<verb> <thing> at <server>`, after "Cannot". */
  constructor(action: string, options: RefusalOptions) {
    const { status, message, retryAfterMs = 0, nextStep } = options;
    const reason = options.reason || (reasons[status] ?? 'Unknown');
    const said = message || `the API answered ${status} (${reason})`;
    super(`Cannot ${action}: ${said}${nextStep ? `; ${nextStep}` : ''}`);
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
    this.#causes = options.causes ?? [];
    this.#isExpectedBack = options.isExpectedBack ?? false;
  }

  get isNotFound(): boolean {
    return this.status === 404;
  }

  get isForbidden(): boolean {
    return this.status === 403;
  }

  /** The namespace is being deleted: nothing new can be made in it any more. */
  get isNamespaceTerminating(): boolean {
    return this.isForbidden && this.#causes.some(({ reason }) => reason === 'NamespaceTerminating');
  }

  /** Who manages the fields that an apply without force would have changed. */
  get fieldConflicts(): readonly FieldConflict[] {
    return this.#causes
      .filter(({ reason }) => reason === 'FieldManagerConflict')
      .map(({ message = '', field = '' }) => {
        const [, manager = 'another manager'] = /"([^"]*)"/.exec(message) ?? [];
        return { manager, field };
      });
  }

  /** Somebody else changed the object in between, or it exists already. */
  get isConflict(): boolean {
    return this.status === 409;
  }

  /** The resourceVersion or the continue token is too old: list again. */
  get isExpired(): boolean {
    return this.status === 410 || this.reason === 'Expired' || this.reason === 'Gone';
  }

  override get isTransient(): boolean {
    return this.status === 429 || this.status >= 500;
  }

  override get isExpectedBack(): boolean {
    return this.#isExpectedBack;
  }
}

/** What a status means where the answer has no reason of its own, as from a proxy in between. */
const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** What was asked for; `undefined` if it is not there. */
export async function orUndefined<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof KubernetesError && error.isNotFound) return undefined;
    throw error;
  }
}
