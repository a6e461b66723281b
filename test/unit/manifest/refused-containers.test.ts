/** Containers, their variables and ports as they must not be: refused, each at its path. */
import { type Json, rawPod } from './fixtures.ts';
import { refusals } from './refusals.ts';

const c = 'spec.containers[0]';
const port = (fields: Json, spec: Json = {}) => rawPod(spec, { ports: [{ containerPort: 80, ...fields }] });

refusals([
  ['no containers', rawPod({ containers: [] }), 'spec.containers: Required value'],
  [
    'containers that are no list',
    rawPod({ containers: {} }),
    'spec.containers: Invalid value: got an object, expected a list',
  ],
  ['a container that is nothing', rawPod({ containers: [null] }), 'spec.containers[0]: Required value'],
  [
    'too many containers',
    rawPod({ containers: Array(33).fill({}) }),
    'spec.containers: Too many: 33: must have at most 32 items',
  ],
  ['no image', rawPod({}, { image: undefined }), `${c}.image: Required value`],
  [
    'an image with a space',
    rawPod({}, { image: 'a b' }),
    `${c}.image: Invalid value: "a b": must not contain white space`,
  ],
  [
    'an image too long',
    rawPod({}, { image: 'a'.repeat(513) }),
    /image: Invalid value: "a{80}"…: must be no more than 512/,
  ],
  ['a container name that is none', rawPod({}, { name: 'A' }), /^spec\.containers\[0\]\.name: Invalid value: "A"/],
  [
    'two containers of one name',
    rawPod({
      containers: [
        { name: 'c', image: 'i' },
        { name: 'c', image: 'i' },
      ],
    }),
    'spec.containers[1].name: Duplicate value: "c"',
  ],
  [
    'a pull policy that is none',
    rawPod({}, { imagePullPolicy: 'always' }),
    `${c}.imagePullPolicy: Unsupported value: "always": supported values: "Always", "IfNotPresent", "Never"`,
  ],
  [
    'a restart policy that is none',
    rawPod({ restartPolicy: 'Sometimes' }),
    /^spec\.restartPolicy: Unsupported value: "Sometimes"/,
  ],
  [
    'a negative grace period',
    rawPod({ terminationGracePeriodSeconds: -1 }),
    /^spec\.terminationGracePeriodSeconds: Invalid value: -1/,
  ],
  ['a hostname that is none', rawPod({ hostname: 'a.b' }), /^spec\.hostname: Invalid value: "a\.b"/],
  [
    'false for a string',
    rawPod({}, { workingDir: false }),
    /workingDir: Invalid value: got a boolean, expected a string/,
  ],
  [
    'a relative directory',
    rawPod({}, { workingDir: 'srv' }),
    `${c}.workingDir: Invalid value: "srv": must be an absolute path`,
  ],
  [
    'a word that is no string',
    rawPod({}, { command: ['a', 1] }),
    /command\[1\]: Invalid value: got a number, expected a string/,
  ],
  ['a word with NUL', rawPod({}, { args: ['a\0b'] }), `${c}.args[0]: Invalid value: must not contain a NUL character`],
  [
    'a word beyond the kernel',
    rawPod({}, { args: ['x'.repeat(131_072)] }),
    `${c}.args[0]: Too long: must be less than 128 KiB`,
  ],

  ['a variable without a name', rawPod({}, { env: [{ value: 'x' }] }), `${c}.env[0].name: Required value`],
  ['a variable name with =', rawPod({}, { env: [{ name: 'a=b' }] }), /env\[0\]\.name: Invalid value: "a=b"/],
  [
    'a number for a value',
    rawPod({}, { env: [{ name: 'A', value: 1 }] }),
    /env\[0\]\.value: Invalid value: got a number, expected a string \(in YAML/,
  ],
  [
    'too many words together',
    rawPod({}, { env: [{ name: 'A', value: 'x'.repeat(60_000) }], args: Array(20).fill('$(A)') }),
    'spec.containers[0].args[7]: Too long: env, command and args are more than 524288 bytes together',
  ],
  [
    'doubling variables',
    rawPod(
      {},
      { env: Array.from({ length: 20 }, (_, i) => ({ name: `V${i}`, value: `xxxx$(V${i - 1})$(V${i - 1})` })) },
    ),
    /env\[\d+\]\.value: Too long: expands to more than 128 KiB/,
  ],

  ['no port', port({ containerPort: undefined }), `${c}.ports[0].containerPort: Required value`],
  [
    'port 0',
    port({ containerPort: 0 }),
    `${c}.ports[0].containerPort: Invalid value: 0: must be a whole number from 1 to 65535`,
  ],
  [
    'a port as text',
    port({ containerPort: '80' }),
    /containerPort: Invalid value: got a string, expected a whole number/,
  ],
  ['a protocol that is none', port({ protocol: 'tcp' }), /protocol: Unsupported value: "tcp"/],
  ['a port name that is none', port({ name: '80' }), /ports\[0\]\.name: Invalid value: "80"/],
  [
    'two ports of one name',
    rawPod(
      {},
      {
        ports: [
          { name: 'a', containerPort: 1 },
          { name: 'a', containerPort: 2 },
        ],
      },
    ),
    `${c}.ports[1].name: Duplicate value: "a"`,
  ],
  ['a host port beyond the last', port({ hostPort: 70_000 }), /ports\[0\]\.hostPort: Invalid value: 70000/],
  [
    'a host port that is another',
    port({ hostPort: 81 }, { hostNetwork: true }),
    /hostPort: Invalid value: 81: must be the containerPort \(80\)/,
  ],
  [
    'one host port twice',
    rawPod({ hostNetwork: true }, { ports: [{ containerPort: 1 }, { containerPort: 1 }] }),
    `${c}.ports[1].hostPort: Duplicate value: 1`,
  ],
]);
