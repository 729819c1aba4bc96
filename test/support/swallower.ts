import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const LISTEN = `
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));
`;

/**
 * An address that swallows packets, as behind a firewall or of a host that lost power: a listener that accepts nothing and whose queue is full.
 * A connection to it is neither made nor refused. (Linux)
 */
export async function swallower(): Promise<{ url: string; host: string } & AsyncDisposable> {
  const child = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const port = Number(line);
  child.kill('SIGSTOP');
  const queued: Socket[] = [];
  // The queue holds one more than it says; what comes after stays in its handshake.
  for (;;) {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    queued.push(socket);
    const made = await Promise.race([
      once(socket, 'connect').then(() => true),
      new Promise<false>((resolve) => setTimeout(() => resolve(false), 200)),
    ]);
    if (!made) break;
  }
  const host = `127.0.0.1:${port}`;
  return {
    url: `http://${host}`,
    host,
    [Symbol.asyncDispose]: async () => {
      for (const socket of queued) socket.destroy();
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
