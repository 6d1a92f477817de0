import type { Descriptor } from './oci/index.ts';

/** What became of one blob or manifest. */
export type Outcome = 'sent' | 'mounted' | 'present' | 'received';

/** What a transfer tells while it runs; `bytes` are absolute and never go back. */
export type ProgressEvent =
  | { readonly type: 'planned'; readonly items: readonly Descriptor[]; readonly totalBytes: number }
  | { readonly type: 'advanced'; readonly descriptor: Descriptor; readonly bytes: number }
  | { readonly type: 'finished'; readonly descriptor: Descriptor; readonly outcome: Outcome }
  | {
      readonly type: 'retrying';
      readonly what: string;
      readonly reason: string;
      readonly delayMs: number;
    };

/** Is told of progress; must not throw. */
export type OnProgress = (event: ProgressEvent) => void;
