#include "lib/users.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "lib/path_in_root.h"
#include "lib/sys.h"

namespace edgepod {
namespace {

constexpr const char* kStep = "resolve-user";
constexpr size_t kMaxFile = 1 << 20;
constexpr size_t kMaxGroups = 1024;

// Calls f(fields) for every line of a colon-separated file until it returns false.
template <typename F>
void each_entry(std::string_view text, F&& f) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string_view fields[7];
    size_t count = 0;
    for (; count < 7; count++) {
      const size_t colon = line.find(':');
      fields[count] = line.substr(0, colon);
      if (colon == std::string_view::npos) break;
      line.remove_prefix(colon + 1);
    }
    if (fields[0].empty() || fields[0][0] == '#') continue;
    if (!f(fields)) return;
  }
}

bool in_list(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (list.substr(0, comma) == name) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// A file of the image, which may be anything: only a regular one of bounded size is read, and opening it can
// neither block (FIFO) nor wake a device (CVE-2026-47262, CVE-2024-9676). A missing one is empty.
Result<std::string> read_image_file(int root_fd, const char* path) {
  auto place = open_in_root(root_fd, path, O_PATH);
  if (!place && (place.error().err == ENOENT || place.error().err == ENOTDIR)) return std::string();
  if (!place) return Error{kStep, place.error().err, path};
  struct stat st;
  if (fstat(place->get(), &st) < 0) return errno_error(kStep, path);
  if (!S_ISREG(st.st_mode)) return input_error(kStep, std::string(path) + ": is not a regular file");
  if (st.st_size > static_cast<off_t>(kMaxFile))
    return input_error(kStep, std::string(path) + ": is larger than 1 MiB", EFBIG);
  auto file = open_in_root(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return Error{kStep, file.error().err, path};
  struct stat opened;
  if (fstat(file->get(), &opened) < 0) return errno_error(kStep, path);
  if (opened.st_dev != st.st_dev || opened.st_ino != st.st_ino)
    return input_error(kStep, std::string(path) + ": was replaced while it was being opened", EAGAIN);
  auto text = read_all(file->get(), kMaxFile, kStep);
  if (!text) return Error{kStep, text.error().err, std::string(path) + ": " + text.error().detail};
  return text;
}

bool says(const Spec& spec, std::string_view annotation, std::string_view value) {
  const std::string* found = spec.annotation(annotation);
  return found && *found == value;
}

void add_groups(std::vector<uint32_t>& groups, const std::vector<uint32_t>& more) {
  for (const uint32_t gid : more)
    if (std::find(groups.begin(), groups.end(), gid) == groups.end()) groups.push_back(gid);
}

std::string home_of(uint32_t uid, std::string_view passwd) {
  std::string home;
  each_entry(passwd, [&](const std::string_view* fields) {
    if (parse_id(fields[2]) != uid) return true;
    home = fields[5];
    return false;
  });
  return home;
}

}  // namespace

std::optional<uint32_t> parse_id(std::string_view text) {
  if (text.empty() || text.size() > 10) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  // Ids that wrap to 0 made root out of "4294967296" elsewhere (CVE-2024-40635, CVE-2026-30892).
  if (value > INT32_MAX) return std::nullopt;
  return static_cast<uint32_t>(value);
}

Result<Identity> resolve_user(std::string_view wanted, std::string_view passwd, std::string_view group) {
  const size_t colon = wanted.find(':');
  const std::string_view user = wanted.substr(0, colon);
  const bool group_named = colon != std::string_view::npos;
  const std::string_view wanted_group = group_named ? wanted.substr(colon + 1) : std::string_view();
  Identity out;
  const auto number = parse_id(user);
  bool bad = false, found = false;
  std::string name(number ? std::string_view() : user);
  each_entry(passwd, [&](const std::string_view* fields) {
    if (number ? parse_id(fields[2]) != number : fields[0] != user) return true;
    const auto uid = parse_id(fields[2]), gid = parse_id(fields[3]);
    bad = !uid || !gid;
    found = true;
    if (bad) return false;
    out.uid = *uid;
    out.gid = *gid;
    out.home = fields[5];
    name = fields[0];
    return false;
  });
  if (bad)
    return input_error(kStep, "/etc/passwd: the entry of user \"" + std::string(user) + "\" is malformed");
  if (!found && !number)
    return input_error(kStep, "user \"" + std::string(user) + "\" is not in the image", ENOENT);
  if (!found) out.uid = *number;
  if (group_named) {
    auto gid = parse_id(wanted_group);
    if (!gid)
      each_entry(group, [&](const std::string_view* fields) {
        if (fields[0] != wanted_group) return true;
        gid = parse_id(fields[2]);
        return false;
      });
    if (!gid)
      return input_error(kStep, "group \"" + std::string(wanted_group) + "\" is not in the image", ENOENT);
    out.gid = *gid;
  }
  if (!name.empty())
    each_entry(group, [&](const std::string_view* fields) {
      const auto gid = parse_id(fields[2]);
      if (gid && in_list(fields[3], name)) out.groups.push_back(*gid);
      return out.groups.size() < kMaxGroups;
    });
  return out;
}

Result<Identity> resolve_identity(const Spec& spec, int root_fd, bool want_home) {
  const SpecUser& user = spec.process.user;
  const std::string* wanted = spec.annotation(kAnnotationUser);
  Identity out;
  if (!wanted || wanted->empty()) {
    out.uid = user.uid;
    out.gid = user.gid;
    out.groups = user.additional_gids;
    if (!want_home) return out;
    // Only a convenience: an odd file in the image must not stop a container that never asked for it.
    auto passwd = read_image_file(root_fd, "/etc/passwd");
    if (passwd) out.home = home_of(out.uid, *passwd);
    return out;
  }
  auto passwd = read_image_file(root_fd, "/etc/passwd");
  if (!passwd) return std::move(passwd.error());
  auto group = read_image_file(root_fd, "/etc/group");
  if (!group) return std::move(group.error());
  auto resolved = resolve_user(*wanted, *passwd, *group);
  if (!resolved) return resolved;
  // Checked on the number it came to, however the image calls it: a user "app" of uid 0 is root (T-23, T-24).
  if (says(spec, kAnnotationNonRoot, "true") && resolved->uid == 0)
    return input_error("run-as-non-root", "container has runAsNonRoot and image will run as root", EPERM);
  if (says(spec, kAnnotationGroupsPolicy, "Strict")) resolved->groups.clear();
  add_groups(resolved->groups, {resolved->gid});
  add_groups(resolved->groups, user.additional_gids);
  return resolved;
}

}  // namespace edgepod
