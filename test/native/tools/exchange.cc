// exchange A B: exchanges two directory entries all the time, until killed. The attacker of mount and path
// races.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  constexpr unsigned kExchange = 2;  // RENAME_EXCHANGE
  for (;;)
    if (syscall(SYS_renameat2, AT_FDCWD, argv[1], AT_FDCWD, argv[2], kExchange) < 0) return 1;
}
