// The infra process: first in the pod, holds the pod's namespaces, and as PID 1 of a shared PID namespace
// reaps whatever its containers orphan. Exits 0 on SIGTERM and SIGINT and for no other reason. Freestanding:
// no libc, no heap, no data, so that a pod costs a page of stack and a page of code.
//
// Signals are blocked and taken synchronously: no handler, hence no signal frame on the stack. The kernel
// drops unhandled signals sent to PID 1 of a namespace, but never blocked ones.

#define SIG_INT 2
#define SIG_TERM 15
#define SIG_CHLD 17
#define SIG_BIT(signal) (1UL << ((signal)-1))

#define E_INTR 4
#define E_AGAIN 11
#define WAIT_NO_HANG 1
#define SIG_BLOCK_HOW 0
#define SET_DUMPABLE 4

enum { ExitBrokenWait = 3 };

#if defined(__x86_64__)
#define NR_RT_SIGPROCMASK 14
#define NR_RT_SIGTIMEDWAIT 128
#define NR_WAIT4 61
#define NR_PRCTL 157
#define NR_EXIT_GROUP 231

static long call4(long number, long a, long b, long c, long d) {
  long result;
  register long r10 __asm__("r10") = d;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                   : "rcx", "r11", "memory");
  return result;
}

// The kernel enters with an aligned stack pointer; the ABI wants it misaligned by the return address.
__asm__(".globl _start\n_start:\n  xor %ebp, %ebp\n  and $-16, %rsp\n  call pause_main\n  hlt\n");

#elif defined(__aarch64__)
#define NR_RT_SIGPROCMASK 135
#define NR_RT_SIGTIMEDWAIT 137
#define NR_WAIT4 260
#define NR_PRCTL 167
#define NR_EXIT_GROUP 94

static long call4(long number, long a, long b, long c, long d) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}

__asm__(".globl _start\n_start:\n  mov x29, #0\n  mov x30, #0\n  b pause_main\n");

#else
#error "pause: unsupported architecture"
#endif

static void reap_all(void) {
  for (;;) {
    long pid = call4(NR_WAIT4, -1, 0, WAIT_NO_HANG, 0);
    if (pid <= 0 && pid != -E_INTR) return;  // nobody has ended, or there are no children
  }
}

__attribute__((noreturn, used)) void pause_main(void) {
  unsigned long all = ~0UL;
  unsigned long awaited = SIG_BIT(SIG_INT) | SIG_BIT(SIG_TERM) | SIG_BIT(SIG_CHLD);
  long exit_code = 0;

  call4(NR_RT_SIGPROCMASK, SIG_BLOCK_HOW, (long)&all, 0, sizeof all);
  // This process keeps the host's root directory. Containers that share its PID namespace must not get at
  // /proc/1/{root,cwd,exe,fd}, which a process of the same user without extra capabilities could
  // (CVE-2019-5736 class).
  call4(NR_PRCTL, SET_DUMPABLE, 0, 0, 0);
  for (;;) {
    long signal = call4(NR_RT_SIGTIMEDWAIT, (long)&awaited, 0, 0, sizeof awaited);
    if (signal == SIG_TERM || signal == SIG_INT) break;
    // One signal may stand for many ended children; a storm of them only makes this loop busy.
    if (signal == SIG_CHLD) reap_all();
    if (signal < 0 && signal != -E_INTR && signal != -E_AGAIN) {
      exit_code = ExitBrokenWait;
      break;
    }
  }
  for (;;) call4(NR_EXIT_GROUP, exit_code, 0, 0, 0);
}
