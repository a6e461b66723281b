/**
 * What compilers and tests on x86 cannot see of native code that is to run on ARM. The rest is `make check-arm64`: a legacy
 * system call has no name there, a misaligned access stops the program, large pages are told to it.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';

const native = join(import.meta.dirname, '../../../native');

interface Rule {
  name: string;
  /** What is wrong with a file's text, a line each. */
  faults: (text: string) => string[];
  /** A text it has to find fault with, and one it has to accept. */
  bad: string;
  good: string;
}

const matches = (pattern: RegExp) => (text: string) => [...text.matchAll(pattern)].map(([found]) => found);
/** From here on system calls have the same number on every architecture (Linux 5.1). */
const COMMON_NUMBERS = 424;

const RULES: Rule[] = [
  {
    name: 'a system call is named by the architecture’s own headers, never by a number',
    faults: matches(/\bsyscall\(\s*\d.*/g),
    bad: 'syscall(2, path, 0)',
    good: 'syscall(SYS_openat2, dirfd)',
  },
  {
    name: 'a number for headers that are too old is one that all architectures share',
    faults: (text) =>
      [...text.matchAll(/#define +(?:SYS|__NR)_\w+ +(\d+)/g)]
        .filter(([, number]) => Number(number) < COMMON_NUMBERS)
        .map(([found]) => found),
    bad: '#define SYS_renameat2 316',
    good: '#define SYS_openat2 437',
  },
  {
    name: 'what is written for x86 is written for ARM as well',
    faults: (text) => (/__x86_64__|__amd64__/.test(text) && !text.includes('__aarch64__') ? ['only for x86'] : []),
    bad: '#ifdef __x86_64__\n#endif',
    good: '#if defined(__x86_64__)\n#elif defined(__aarch64__)\n#endif',
  },
  {
    name: 'the size of a page is the kernel’s to say',
    faults: matches(/\bPAGE_(?:SIZE|MASK|SHIFT)\b.*|[&%/] *~?\(?(?:409[56]|0x1000|0xfff)\b.*/g),
    bad: 'address & ~4095',
    good: 'address & ~(page - 1); char buffer[4096];',
  },
  {
    name: 'no structure is laid out without alignment, nor a flag of open(2) written as a number',
    faults: matches(/__attribute__\(\(packed\)\)|#pragma pack.*|#define +O_[A-Z]+ +\w+/g),
    bad: '#define O_DIRECTORY 0200000',
    good: 'open(path, O_DIRECTORY)',
  },
];

suite('native code on ARM', () => {
  const files = globSync('{lib,runner,addon,unpack,pause}/**/*.{cc,c,h}', { cwd: native });
  for (const { name, faults, bad, good } of RULES)
    test(name, () => {
      assert.notDeepEqual(faults(bad), []);
      assert.deepEqual(faults(good), []);
      assert.ok(files.length > 100, `${files.length} files`);
      const found = files.flatMap((file) =>
        faults(readFileSync(join(native, file), 'utf8')).map((f) => `${file}: ${f}`),
      );
      assert.deepEqual(found, []);
    });
});
