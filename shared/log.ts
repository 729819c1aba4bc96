import type { Logger } from 'pino';

/** What the engine needs of a logger. Fields first, message second; no URL, no token in either. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

const nothing = () => undefined;
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
