export { BridgeRecord, BridgeRecords } from './bridge-records.ts';
export type { KeptRecord } from './bridge-records.ts';
export { startBridge } from './bridge.ts';
export type { Bridge, BridgeOptions } from './bridge.ts';
export { newBridgeLogin } from './login.ts';
export type { BridgeLogin } from './login.ts';
export type { Pushed } from './pushes.ts';
export { removeToolFiles, writeToolFiles } from './tool-files.ts';
export type { OwnFilesEnv, ToolEnv } from './tool-files.ts';
