// Runs before the tests: npm itself may use an older Node, and only npm's scripts get the project's.
const needed = 24;
if (Number(process.versions.node.split('.')[0]) < needed) {
  console.error(
    `the tests need Node ${needed}, and this is ${process.version}: run npm ci without --ignore-scripts, which installs one for the project`,
  );
  process.exit(1);
}
