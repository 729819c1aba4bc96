import { FanoutError, messageOf } from '../errors.ts';
import { arrived, carried, type CarriedError } from './carried-error.ts';

/** The other process is gone, or its channel was closed: it does not answer any more. */
export class ChannelClosedError extends FanoutError {
  override readonly name = 'ChannelClosedError';
  constructor(cause?: unknown) {
    super('the other process of the job is gone', { disposition: 'fail-job', cause });
  }
}

/** One end of Node's channel between a process and its child. */
interface End {
  readonly connected: boolean;
  readonly send?: (message: object, callback: (error: Error | null) => void) => boolean;
  on(event: 'message', listener: (message: Message) => void): unknown;
  once(event: 'disconnect', listener: () => void): unknown;
}

type Message =
  | { readonly call: number; readonly method: string; readonly given: readonly unknown[] }
  | { readonly answer: number; readonly value?: unknown; readonly error?: CarriedError };

/** What one process does for another: takes and gives what can be copied. */
type Method = (...given: never[]) => unknown;
type MethodOf<Theirs, Name extends keyof Theirs> = Extract<Theirs[Name], Method>;

/**
 * Calls between two processes. Messages are handled in the order in which they were sent; many calls may be under way at once. An error
 * arrives with its class and its fields.
 */
export class Channel<Theirs> {
  readonly #end: End;
  readonly #ours: Readonly<Record<string, Method>>;
  readonly #waiting = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: Reject }>();
  #calls = 0;

  /** @param ours  what the other process may call here */
  constructor(end: End, ours: object) {
    this.#end = end;
    this.#ours = ours as Readonly<Record<string, Method>>;
    end.on('message', (message) => this.#receive(message));
    end.once('disconnect', () => this.close());
  }

  /** Nothing that is waited for will be answered. */
  close(): void {
    for (const { reject } of this.#waiting.values()) reject(new ChannelClosedError());
    this.#waiting.clear();
  }

  /** @throws what the method threw in the other process; ChannelClosedError */
  call<Name extends keyof Theirs & string>(
    method: Name,
    ...given: Parameters<MethodOf<Theirs, Name>>
  ): Promise<Awaited<ReturnType<MethodOf<Theirs, Name>>>> {
    const call = ++this.#calls;
    return new Promise((resolve, reject: Reject) => {
      this.#waiting.set(call, { resolve: resolve as (value: unknown) => void, reject });
      this.#send({ call, method, given }, (error) => {
        this.#waiting.delete(call);
        reject(error);
      });
    });
  }

  /** Calls without waiting for an answer. */
  tell<Name extends keyof Theirs & string>(method: Name, ...given: Parameters<MethodOf<Theirs, Name>>): void {
    this.call(method, ...given).catch(() => undefined);
  }

  #receive(message: Message): void {
    if ('call' in message) {
      void this.#answer(message.call, message.method, message.given);
      return;
    }
    const waiting = this.#waiting.get(message.answer);
    this.#waiting.delete(message.answer);
    if (message.error) waiting?.reject(arrived(message.error));
    else waiting?.resolve(message.value);
  }

  async #answer(call: number, method: string, given: readonly unknown[]): Promise<void> {
    const ignored = () => undefined;
    try {
      const ours = this.#ours[method];
      if (!ours) throw new Error(`the other process calls ${method}, which this one does not know`);
      const value = await ours.apply(this.#ours, given as never[]);
      this.#send({ answer: call, value }, ignored);
    } catch (error) {
      this.#send({ answer: call, error: carried(error) }, ignored);
    }
  }

  #send(message: Message, onFailure: Reject): void {
    if (!this.#end.connected || !this.#end.send) {
      onFailure(new ChannelClosedError());
      return;
    }
    this.#end.send(message, (error) => {
      if (error) onFailure(new ChannelClosedError(messageOf(error)));
    });
  }
}

type Reject = (error: Error) => void;
