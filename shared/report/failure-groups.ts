import { causeOf } from '../job/cause.ts';
import type { Failure } from '../job/outcome.ts';
import type { Report } from './report.ts';

const MOST_CAUSES = 100;
const EXAMPLES = 5;
const HOSTS = 20;

interface Group {
  files: number;
  readonly hosts: Set<string>;
  readonly examples: { readonly path: string; readonly reason: string }[];
}

/** Failures by their cause: of each the first examples. */
export class FailureGroups {
  readonly #groups = new Map<string, Group>();
  #others = 0;

  add(failure: Failure): void {
    const cause = causeOf(failure);
    const group = this.#groups.get(cause) ?? { files: 0, hosts: new Set<string>(), examples: [] };
    if (group.files === 0 && this.#groups.size === MOST_CAUSES) {
      this.#others += 1;
      return;
    }
    this.#groups.set(cause, group);
    group.files += 1;
    if (failure.host !== '' && group.hosts.size < HOSTS) group.hosts.add(failure.host);
    if (group.examples.length < EXAMPLES) group.examples.push({ path: failure.path, reason: failure.reason });
  }

  /** @param again  gives the command that tries the files of a cause again, where there is one */
  told(again: (cause: string) => string | undefined): Pick<Report, 'failures' | 'otherFailures'> {
    const groups = [...this.#groups].sort(([, a], [, b]) => b.files - a.files);
    const failures = groups.map(([cause, { files, hosts, examples }]) => {
      const command = again(cause);
      return { cause, files, hosts: [...hosts], examples, ...(command === undefined ? {} : { again: command }) };
    });
    return { failures, otherFailures: this.#others };
  }
}
