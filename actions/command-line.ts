import { start } from '../cli/src/start.ts';

// The command line as a program in `dist/`, which actions/setup puts on the PATH.
await start();
