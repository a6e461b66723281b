// Names of archive entries.
#include "check.h"
#include "lib/archive/entry_name.h"

using namespace edgepod;

static void accepted(const char *raw, NameKind kind, const char *parent, const char *base) {
  auto name = parse_layer_name(raw);
  if (!CHECK_OK(name)) return;
  CHECK(name->kind == kind);
  CHECK_EQ(name->parent, parent);
  CHECK_EQ(name->base, base);
}

static void refused(std::string_view raw, const char *why) {
  auto name = parse_layer_name(raw);
  CHECK(!name);
  if (name) return;
  CHECK_EQ(std::string(name.error().step), "entry-name");
  CHECK(name.error().detail.find(why) != std::string::npos);
}

int main() {
  accepted("etc/passwd", NameKind::Plain, "etc", "passwd");
  accepted("./a//b/./c/", NameKind::Plain, "a/b", "c");
  accepted("...", NameKind::Plain, "", "...");
  accepted("a/..b", NameKind::Plain, "a", "..b");
  accepted("./", NameKind::Root, "", "");
  accepted(".", NameKind::Root, "", "");
  accepted("a/.wh.b", NameKind::Whiteout, "a", "b");
  accepted(".wh.b", NameKind::Whiteout, "", "b");
  accepted("a/.wh..wh..opq", NameKind::Opaque, "a", ".wh..wh..opq");
  accepted("a/.wh..wh.plnk", NameKind::Reserved, "a", ".wh..wh.plnk");
  accepted("a/.wh", NameKind::Plain, "a", ".wh");
  accepted("a/.wh....", NameKind::Whiteout, "a", "...");

  refused("", "has no name");
  refused("/etc/passwd", "absolute");
  refused("../x", "\"..\"");
  refused("a/../../x", "\"..\"");
  refused("a/..", "\"..\"");
  refused(".wh.", "whiteout of nothing");
  refused(".wh..", "whiteout of nothing");
  refused("a/.wh...", "whiteout of nothing");
  refused("a/.wh.b/c", "below a whiteout");
  refused(std::string(256, 'x'), "255");
  std::string deep;
  while (deep.size() <= kMaxEntryPath) deep += "d/";
  refused(deep, "3072");

  // Outside of layers the prefix means nothing.
  auto plain = parse_plain_name("blobs/.wh.x");
  CHECK(plain && plain->kind == NameKind::Plain && plain->base == ".wh.x");

  CHECK_EQ(quoted_name("a\nb\xff\"c\\"), "\"a\\x0ab\\xff\\x22c\\x5c\"");
  CHECK(quoted_name(std::string(5000, 'x')).size() < 250);
  return check_report();
}
