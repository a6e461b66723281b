/** Amounts a container must not ask for: refused, each at its path. */
import { type Json, rawPod } from './fixtures.ts';
import { refusals } from './refusals.ts';

const c = 'spec.containers[0]';
const resources = (fields: Json) => rawPod({}, { resources: fields });

refusals([
  [
    'more asked for than allowed',
    resources({ limits: { cpu: 1 }, requests: { cpu: 2 } }),
    `${c}.resources.requests.cpu: Invalid value: "2": must be less than or equal to cpu limit of 1`,
  ],
  [
    'a negative amount',
    resources({ limits: { cpu: '-1' } }),
    /limits\.cpu: Invalid value: "-1": must be greater than or equal to 0/,
  ],
  [
    'an amount that is none',
    resources({ limits: { memory: '64MB' } }),
    /limits\.memory: Invalid value: "64MB": must be a quantity/,
  ],
  [
    'thousandths of bytes',
    resources({ limits: { memory: '512m' } }),
    /limits\.memory: Invalid value: "512m": must be a whole number of bytes/,
  ],
  ['too much', resources({ limits: { cpu: 100_001 } }), /limits\.cpu: Invalid value: "100001": must be no more than/],
  ['huge pages', resources({ limits: { 'hugepages-2Mi': '2Mi' } }), /limits\.hugepages-2Mi: not supported: huge pages/],
]);
