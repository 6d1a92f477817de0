import * as z from 'zod';

/** What the operator tells a surrogate about its registry: `config/registry.json`. */
export const SurrogateSettings = z.object({
  host: z.string().min(1).describe('host[:port] of the registry, as Pods call it'),
  insecure: z.boolean().default(false).describe('Plain HTTP, login included'),
});
export type SurrogateSettings = z.infer<typeof SurrogateSettings>;
