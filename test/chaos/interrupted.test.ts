import { describeInterrupted } from './interrupted.ts';

// `npm run test:soak` has more of everything.
describeInterrupted({ imageBytes: 48 * 1024 * 1024, cuts: 3, kills: 1, killedBy: ['proxy'] });
