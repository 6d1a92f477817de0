import type { BenchCase } from '../bench.ts';
import { bridge } from './bridge.ts';
import { directPull, directPush } from './direct.ts';
import { dockerSave } from './docker-save.ts';
import { interrupted } from './interrupted.ts';
import { longLink } from './long-link.ts';
import { memory } from './memory.ts';
import { cpu, exec, proxy } from './routes.ts';
import { unchanged } from './unchanged.ts';

/** All that is measured, in this order. */
export const cases: readonly BenchCase[] = [
  directPush,
  directPull,
  unchanged,
  proxy,
  exec,
  bridge,
  longLink,
  cpu,
  dockerSave,
  interrupted,
  memory,
];
