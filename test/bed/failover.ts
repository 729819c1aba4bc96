// Which of two namenodes is active.
import type { Cluster } from './cluster.ts';
import { changeState } from './control.ts';

/**
 * The other namenode becomes a standby first, if it runs.
 * @param controlOf  what a daemon's JVM is asked through; undefined if it does not run
 */
export const makeActive = async (
  clusters: Cluster[],
  namenode: string,
  controlOf: (daemon: string) => string | undefined,
): Promise<void> => {
  const pair = clusters.find(({ namenodes }) => namenodes.some(({ daemon }) => daemon === namenode))?.namenodes;
  if (!pair || pair.length < 2) throw new Error(`"${namenode}" is not a namenode of a cluster with HA`);
  const own = controlOf(namenode);
  if (own === undefined) throw new Error(`${namenode} is not running`);
  for (const { daemon } of pair) {
    const control = controlOf(daemon);
    if (daemon !== namenode && control !== undefined) await changeState(control, daemon, 'standby');
  }
  await changeState(own, namenode, 'active');
};
