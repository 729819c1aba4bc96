import { doctorRequest, doctorStep } from '../shared/aws/doctor-step.ts';
import { step } from './step.ts';
import { servicesFor } from './wiring.ts';

/** Looks at a cluster from where copiers run. */
export const handler = step(doctorRequest, (request, context) =>
  doctorStep(request, servicesFor(context), new AbortController().signal),
);
