import { describe, expect, it } from 'vitest';
import { candidatesFor, type Known } from '../../../cli/completions.ts';
import { program } from '../../../cli/program.ts';

const known: Known = {
  jobs: () => Promise.resolve(['20260101-000000-aaaaaa', '20250101-000000-bbbbbb']),
  clusters: (conf) => (conf === undefined ? ['staging', 'prod'] : [conf]),
};

async function words(line: string): Promise<string[]> {
  return (await candidatesFor(program, line.split(' '), known)).map(({ word }) => word);
}

describe('the word at the cursor may become', () => {
  it.each<[string, string[]]>([
    ['cop', ['copy']],
    ['jobs pr', ['prune']],
    ['clusters l', ['list']],
    ['nonsense', []],
    ['--track', ['--track-missing']],
    ['copy --track', ['--track-missing']],
    ['jobs --track', []],
    ['jobs --lim', ['--limit']],
    ['copy --verify read', ['read-back']],
    ['copy --verify=read', ['--verify=read-back']],
    ['copy --verify = read', ['read-back']],
    ['copy --verify =', ['checksum', 'read-back', 'length', 'none']],
    ['copy --existing u', ['update']],
    ['copy --attributes ow', ['owner']],
    ['copy --attributes owner,grou', ['owner,group']],
    ['copy --attributes owner,ow', []],
    ['copy --src pr', ['prod']],
    ['copy -s l', ['local']],
    ['copy pr', ['prod:']],
    ['pr', ['prod:']],
    ['copy --threads 5 pr', ['prod:']],
    ['copy --threads=5 a:/b pr', ['prod:']],
    ['copy --threads 7', []],
    ['copy --force pr', ['prod:']],
    ['copy --conf other.json ot', ['other.json:']],
    ['copy --log-file pr', []],
    ['copy --resume 2025', ['20250101-000000-bbbbbb']],
    ['status 2026', ['20260101-000000-aaaaaa']],
    ['status 20260101-000000-aaaaaa 2', []],
    ['status --stack X 2', []],
    ['jobs prune 20260101-000000-aaaaaa 2025', ['20250101-000000-bbbbbb']],
    ['watch 2', []],
    ['doctor st', ['staging']],
    ['doctor staging st', []],
    ['clusters check staging pr', ['prod']],
    ['verify a:/b st', ['staging:']],
    ['completion z', ['zsh']],
    ['help jo', ['jobs']],
  ])('%s: %j', async (line, expected) => {
    expect(await words(line)).toEqual(expected);
  });

  it('any command, and whatever a copy begins with', async () => {
    const all = await words('');
    expect(all).toEqual(
      expect.arrayContaining([...program.commands.map((command) => command.name()), 'prod:', 'local:']),
    );
    expect(all).not.toContain('__complete');
  });
});
