// Free ports on the loopback interface.
import { once } from 'node:events';
import { type AddressInfo, type Server, createServer } from 'node:net';

/** All are held until the last is chosen, so that none is given out twice. */
export const freePorts = async (count: number): Promise<number[]> => {
  const held: Server[] = [];
  try {
    for (let i = 0; i < count; i++) {
      const server = createServer();
      held.push(server);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return held.map((server) => (server.address() as AddressInfo).port);
  } finally {
    await Promise.all(held.map((server) => new Promise((closed) => server.close(closed))));
  }
};
