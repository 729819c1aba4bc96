// A process between clients and two clusters that puts a distance between them: everything takes as much longer as a round trip does, and
// nothing is lost, lessened or slowed down otherwise.
//
// usage: node delaying-proxy.ts ROUND-TRIP-MS NAMENODE,… DATANODE,…   (each host:port)
//
// Prints the ports on which it stands for each of them, in that order, as JSON. It ends when its standard input does.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { DelayedPipe } from './delayed-pipe.ts';
import { Redirects } from './redirects.ts';

const [roundTripMs = '', namenodes = '', datanodes = ''] = process.argv.slice(2);
const delayMs = Number(roundTripMs) / 2;

/** Accepting costs no time here, where a real connection is a round trip away: so the first byte waits that much longer. */
const standFor = async (server: string, redirects?: Redirects): Promise<Server> => {
  const [host = '', port] = server.split(':');
  const proxy = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const acceptedAtMs = performance.now();
    const upstream = connect({ host, port: Number(port), noDelay: true, allowHalfOpen: true });
    new DelayedPipe(client, upstream, { delayMs, notBeforeMs: acceptedAtMs + 3 * delayMs });
    const rewriting = redirects?.rewriter();
    new DelayedPipe(upstream, client, { delayMs, notBeforeMs: 0, ...(rewriting ? { change: rewriting } : {}) });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return proxy;
};

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

const places = new Map<string, string>();
const ports: number[] = [];
for (const datanode of datanodes.split(',')) {
  const port = portOf(await standFor(datanode));
  places.set(`http://${datanode}/`, `http://localhost:${port}/`);
  ports.push(port);
}
const redirects = new Redirects(places);
for (const namenode of namenodes.split(',').toReversed()) ports.unshift(portOf(await standFor(namenode, redirects)));
console.log(JSON.stringify(ports));
process.stdin.resume().on('end', () => process.exit());
