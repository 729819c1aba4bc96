import {
  FanoutError,
  SpecError,
  StateError,
  SupersededError,
  TooManyFailuresError,
  TransportError,
} from '../errors.ts';
import { StorageError } from '../storage/errors.ts';

/** An error as it goes from one process to another. */
export interface CarriedError {
  readonly message: string;
  readonly stack: string | undefined;
  /** Whether it is a `FanoutError`; its `name` says of which class. */
  readonly isExpected: boolean;
  /** Its own fields, `name` among them. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: CarriedError | undefined;
}

/** The classes that somebody asks an error for. One of another class is a `FanoutError` under its own name. */
const classes: Readonly<Record<string, { readonly prototype: FanoutError }>> = {
  SpecError,
  StateError,
  StorageError,
  SupersededError,
  TooManyFailuresError,
  TransportError,
};

export function carried(error: unknown): CarriedError {
  if (!(error instanceof Error)) {
    return { message: String(error), stack: undefined, isExpected: false, fields: {}, cause: undefined };
  }
  const { message, stack, cause } = error;
  const simple = Object.entries(error).filter(([name, value]) => name !== 'cause' && isSimple(value));
  return {
    message,
    stack,
    isExpected: error instanceof FanoutError,
    fields: Object.fromEntries(simple),
    cause: cause === undefined ? undefined : carried(cause),
  };
}

/** The error in this process: of its class, with its fields, and with the stack of where it was thrown. */
export function arrived({ message, stack, isExpected, fields, cause }: CarriedError): Error {
  const error = new Error(message, cause && { cause: arrived(cause) });
  const known = classes[String(fields['name'])] ?? FanoutError;
  if (isExpected) Object.setPrototypeOf(error, known.prototype);
  if (stack !== undefined) error.stack = stack;
  return Object.assign(error, fields);
}

/** Whether a value can be sent: errors have no functions and no handles in their fields, but those of libraries may. */
function isSimple(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function' && typeof value !== 'symbol';
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || Array.isArray(value)) && Object.values(value).every(isSimple);
}
