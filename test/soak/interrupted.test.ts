import { describeInterrupted } from '../chaos/interrupted.ts';

describeInterrupted({
  imageBytes: 64 * 1024 * 1024,
  cuts: 10,
  kills: 4,
  killedBy: ['direct', 'proxy', 'exec'],
});
