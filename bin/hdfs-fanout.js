#!/usr/bin/env node
// Plain JavaScript of any age, so that an old Node can say what is needed instead of failing on syntax.
var needed = 24;
if (Number(process.versions.node.split('.')[0]) < needed) {
  console.error('hdfs-fanout needs Node ' + needed + ' or newer, and this is ' + process.version);
  process.exit(2);
}
import('../dist/cli.js').catch(function (error) {
  console.error('hdfs-fanout: unexpected error: ' + String((error && error.message) || error).split('\n')[0]);
  process.exit(3);
});
