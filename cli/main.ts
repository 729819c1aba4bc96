import { isCopier } from './copier.ts';

// A process that copies starts without the commands, several times as fast.
if (isCopier()) (await import('../shared/machine/child-copier.ts')).serveAsCopier();
else await import('./command-line.ts');
