import type { Command } from 'commander';
import { candidatesFor } from './completions.ts';
import { exitCodes } from './exit-codes.ts';

/** The first argument by which the scripts ask what may come. No command is called so. */
export const COMPLETE = '__complete';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** What each shell is to run. They ask the program, so that they never know less than it does. */
const scripts: Readonly<Record<Shell, string>> = {
  bash: `_hdfs_fanout() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <("$1" ${COMPLETE} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *: ]]; then compopt -o nospace; fi
}
complete -o default -F _hdfs_fanout hdfs-fanout
`,
  zsh: `#compdef hdfs-fanout
_hdfs_fanout() {
  local line word
  local -a found locations
  while IFS= read -r line; do
    word=\${line%%$'\\t'*}
    if [[ $word == *: ]]; then locations+=("$word")
    else found+=("\${word//:/\\\\:}:\${line#*$'\\t'}"); fi
  done < <("$words[1]" ${COMPLETE} "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} + \${#locations} == 0 )); then _files; return; fi
  if (( \${#locations} )); then compadd -S '' -- "\${locations[@]}"; fi
  if (( \${#found} )); then _describe 'hdfs-fanout' found; fi
}
if [[ $funcstack[1] == _hdfs_fanout ]]; then _hdfs_fanout "$@"; else compdef _hdfs_fanout hdfs-fanout; fi
`,
  fish: `function __hdfs_fanout_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l found ($words[1] ${COMPLETE} $words[2..] "$current" 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path "$current"
  end
end
complete -c hdfs-fanout -f -a '(__hdfs_fanout_complete)'
`,
};

/** `hdfs-fanout completion SHELL`. @returns the exit code */
export function completion(shell: Shell): number {
  process.stdout.write(scripts[shell]);
  return exitCodes.success;
}

/** Answers a script: a candidate a line, with what it means behind a tab. */
export async function complete(program: Command, words: readonly string[]): Promise<void> {
  const found = await candidatesFor(program, words);
  process.stdout.write(found.map(({ word, meaning }) => `${word}\t${meaning}\n`).join(''));
}
