import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { requirePrograms, systemProgram } from '../bed/packages.ts';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** How a page is looked at. */
export interface Look {
  readonly width: number;
  readonly scheme: 'light' | 'dark';
}

/**
 * A headless Chromium, driven over a pipe.
 * @see https://chromedevtools.github.io/devtools-protocol/
 */
export class Browser implements AsyncDisposable {
  /** URLs that a page asked for. */
  readonly requests: string[] = [];
  /** What the browser says of a page: violations of its policy, errors. */
  readonly complaints: string[] = [];
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #next = 1;
  #session = '';
  #onLoad: () => void = () => undefined;

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child;
    child.setMaxListeners(0);
    this.#profile = profile;
    let text = '';
    (child.stdio[4] as Readable).setEncoding('utf8').on('data', (part: string) => {
      const messages = (text + part).split('\0');
      text = messages.pop() ?? '';
      for (const message of messages) this.#take(JSON.parse(message) as Message);
    });
  }

  static async start(): Promise<Browser> {
    await requirePrograms(['chromium']);
    const profile = mkdtempSync(join(tmpdir(), 'hdfs-fanout-browser-'));
    // As root it starts without its sandbox alone, and a container's /dev/shm is too small for it.
    const safe = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--hide-scrollbars'];
    const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
    const args = ['--headless=new', '--remote-debugging-pipe', `--user-data-dir=${profile}`, ...safe, ...quiet];
    const child = spawn(systemProgram('chromium'), args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    const browser = new Browser(child, profile);
    const { targetId } = await browser.#call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await browser.#call('Target.attachToTarget', { targetId, flatten: true });
    browser.#session = String(sessionId);
    for (const domain of ['Page', 'Network', 'Log', 'Runtime']) await browser.#call(`${domain}.enable`);
    return browser;
  }

  /** Opens a file, as a person who was sent it does. */
  async open(file: string, { width, scheme }: Look): Promise<void> {
    this.requests.length = 0;
    this.complaints.length = 0;
    const metrics = { width, height: 900, deviceScaleFactor: 1, mobile: false };
    await this.#call('Emulation.setDeviceMetricsOverride', metrics);
    const features = [{ name: 'prefers-color-scheme', value: scheme }];
    await this.#call('Emulation.setEmulatedMedia', { features });
    const loaded = new Promise<void>((resolve) => (this.#onLoad = resolve));
    await this.#call('Page.navigate', { url: `file://${file}` });
    await loaded;
  }

  /** The value of an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const { result } = await this.#call('Runtime.evaluate', { expression, returnByValue: true });
    return (result as { value?: unknown }).value;
  }

  /** PNG of the page in its whole length, or of its beginning. */
  async screenshot(mostHeight = Infinity): Promise<Buffer> {
    const whole = (await this.evaluate('[document.body.clientWidth, document.body.scrollHeight]')) as [number, number];
    const clip = { x: 0, y: 0, width: whole[0], height: Math.min(whole[1], mostHeight), scale: 1 };
    const { data } = await this.#call('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true, clip });
    return Buffer.from(String(data), 'base64');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    await this.#call('Browser.close').catch(() => undefined);
    await gone;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #call(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = this.#next++;
    const session = method.startsWith('Target.') || method.startsWith('Browser.') ? {} : { sessionId: this.#session };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result = {}, error }) =>
        error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result),
      );
      this.#child.once('exit', () => reject(new Error('the browser is gone')));
      (this.#child.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    });
  }

  #take(message: Message): void {
    const { id, method, params = {} } = message;
    if (id !== undefined) {
      this.#waiting.get(id)?.(message);
      this.#waiting.delete(id);
    }
    if (method === 'Network.requestWillBeSent') this.requests.push((params['request'] as { url: string }).url);
    if (method === 'Log.entryAdded') this.complaints.push((params['entry'] as { text: string }).text);
    if (method === 'Runtime.exceptionThrown') this.complaints.push(JSON.stringify(params['exceptionDetails']));
    if (method === 'Page.loadEventFired') this.#onLoad();
  }
}
