#include "lib/mount_options.h"

#include <string_view>

#include "lib/sys.h"

namespace edgepod {
namespace {

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

struct Attribute {
  std::string_view name;
  uint64_t set, clear;
};

// Setting one access-time mode always clears the field: it is a number, not a set of bits.
constexpr Attribute kAttributes[] = {
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"atime", 0, MOUNT_ATTR__ATIME},
    {"relatime", 0, MOUNT_ATTR__ATIME},
    {"norelatime", 0, MOUNT_ATTR__ATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"nostrictatime", 0, MOUNT_ATTR__ATIME},
};

struct Propagation {
  std::string_view name;
  uint64_t type;
};
constexpr Propagation kPropagations[] = {
    {"private", MS_PRIVATE}, {"slave", MS_SLAVE}, {"shared", MS_SHARED}, {"unbindable", MS_UNBINDABLE}};

void apply(const Attribute& attribute, uint64_t& set, uint64_t& clear) {
  set = (set & ~attribute.clear) | attribute.set;
  clear = (clear & ~attribute.set) | attribute.clear;
}

bool take_attribute(std::string_view option, MountOptions& out) {
  for (const Attribute& attribute : kAttributes) {
    if (option == attribute.name) {
      apply(attribute, out.set, out.clear);
      return true;
    }
    if (option.size() > 1 && option[0] == 'r' && option.substr(1) == attribute.name) {
      apply(attribute, out.recursive_set, out.recursive_clear);
      return true;
    }
  }
  return false;
}

bool take_propagation(std::string_view option, MountOptions& out) {
  for (const Propagation& propagation : kPropagations) {
    const bool recursive = option.size() > 1 && option[0] == 'r' && option.substr(1) == propagation.name;
    if (!recursive && option != propagation.name) continue;
    out.propagation = propagation.type;
    out.propagation_recursive = recursive;
    return true;
  }
  return false;
}

}  // namespace

Result<MountOptions> parse_mount_options(const std::vector<std::string>& options, bool is_bind) {
  constexpr std::string_view kSubpath = "x-edgepod.subpath=";
  MountOptions out;
  out.bind = is_bind;
  out.recursive = is_bind && options.empty();
  for (const std::string& option : options) {
    if (option == "bind" || option == "rbind") {
      out.bind = true;
      out.recursive = option == "rbind";
    } else if (option.rfind(kSubpath, 0) == 0) {
      out.subpath = option.substr(kSubpath.size());
    } else if (option == "defaults" || option.empty() || take_attribute(option, out) ||
               take_propagation(option, out)) {
      continue;
    } else if (option == "x-edgepod.rro-if-possible") {
      out.recursive_readonly_optional = true;
    } else if (option == "idmap") {
      out.id_mapped = true;
    } else if (option == "ridmap" || option == "tmpcopyup") {
      return input_error("mount-options", "\"" + option + "\" is not supported", ENOTSUP);
    } else {
      const size_t equals = option.find('=');
      if (equals == std::string::npos) {
        out.data.emplace_back(option, "");
      } else {
        out.data.emplace_back(option.substr(0, equals), option.substr(equals + 1));
      }
    }
  }
  if (out.bind && !out.data.empty())
    return input_error("mount-options", "\"" + out.data[0].first + "\" means nothing for a bind mount");
  if (out.id_mapped && !out.bind) return input_error("mount-options", "\"idmap\" needs a bind mount");
  if (!out.subpath.empty() && !out.bind) return input_error("mount-options", "subpath needs a bind mount");
  return out;
}

uint64_t mount_flags(uint64_t attributes) {
  uint64_t flags = 0;
  if (attributes & MOUNT_ATTR_RDONLY) flags |= MS_RDONLY;
  if (attributes & MOUNT_ATTR_NOSUID) flags |= MS_NOSUID;
  if (attributes & MOUNT_ATTR_NODEV) flags |= MS_NODEV;
  if (attributes & MOUNT_ATTR_NOEXEC) flags |= MS_NOEXEC;
  if (attributes & MOUNT_ATTR_NODIRATIME) flags |= MS_NODIRATIME;
  if (attributes & MOUNT_ATTR_NOSYMFOLLOW) flags |= MS_NOSYMFOLLOW;
  const uint64_t atime = attributes & MOUNT_ATTR__ATIME;
  if (atime == MOUNT_ATTR_NOATIME) flags |= MS_NOATIME;
  if (atime == MOUNT_ATTR_STRICTATIME) flags |= MS_STRICTATIME;
  return flags;
}

}  // namespace edgepod
