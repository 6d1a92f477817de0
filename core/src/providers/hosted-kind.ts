/** A product with hosts of its own, whose makers say how it is logged in to. */
export interface HostedKind {
  readonly name: string;
  readonly summary: string;
  /** Its host names, in lower case; without it, it is where somebody installed it. */
  readonly hosts?: RegExp;
  /** How such a host is written, for whoever wrote another. */
  readonly hostForm?: string;
  /** Which login it takes, and whether that ends. */
  readonly loginAdvice: string;
}
