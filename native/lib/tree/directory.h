// The names in a directory, read in small portions: opendir(3) takes 32 KiB of heap, and a walk has as many
// directories open as they are inside each other.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "lib/fd.h"

namespace edgepod {

class Directory {
 public:
  explicit Directory(UniqueFd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }

  // The next name, "." and ".." left out; null at the end, or where it cannot be read on. It is valid until
  // the next call.
  const char* next() {
    for (;;) {
      if (at_ == used_ && !fill()) return nullptr;
      auto* entry = reinterpret_cast<const Entry*>(buffer_ + at_);
      at_ += entry->size;
      const char* name = entry->name;
      if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'))) continue;
      return name;
    }
  }

 private:
  // linux_dirent64 of getdents64(2).
  struct Entry {
    uint64_t ino;
    int64_t off;
    unsigned short size;
    unsigned char type;
    char name[];
  };

  bool fill() {
    const long got = syscall(SYS_getdents64, fd_.get(), buffer_, sizeof buffer_);
    at_ = 0;
    used_ = got > 0 ? static_cast<size_t>(got) : 0;
    return used_ != 0;
  }

  UniqueFd fd_;
  size_t at_ = 0, used_ = 0;
  alignas(Entry) char buffer_[2048];
};

}  // namespace edgepod
