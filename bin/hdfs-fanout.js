#!/usr/bin/env node
// Plain JavaScript of any age, so that an old Node can say what is needed instead of failing on syntax.
var needed = 24;
if (Number(process.versions.node.split('.')[0]) < needed) {
  console.error('hdfs-fanout needs Node ' + needed + ' or newer, and this is ' + process.version);
  process.exit(2);
}
// Most of what a copy allocates is gone a moment later: V8 would let it grow into memory that nothing needs. It takes these at its start only.
var smallHeap = ['--max-semi-space-size=2', '--heap-growing-percent=20'];
var isSmall = process.execArgv.indexOf(smallHeap[0]) >= 0;
// Elsewhere than on POSIX a process cannot become another one; a channel to a parent would be lost.
if (!isSmall && process.execve && process.platform !== 'win32' && !process.send) {
  process.execve(process.execPath, [process.execPath].concat(smallHeap, process.execArgv, process.argv.slice(1)));
}
import('../dist/cli.js').catch(function (error) {
  console.error('hdfs-fanout: unexpected error: ' + String((error && error.message) || error).split('\n')[0]);
  process.exit(3);
});
