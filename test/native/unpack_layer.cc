// Extraction of layers that are damaged or hostile, below a scratch directory.
// Needs root: owners and whiteouts are set. What an overlay mount makes of the
// result is tested in test/integration/images.
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "check.h"
#include "lib/archive/extract.h"
#include "lib/archive/tar_index.h"
#include "tar_builder.h"

using namespace edgepod;

static Result<LayerReport> extract(const ScratchDir &dir, const std::string &blob,
                                   const LayerOptions &options = {}) {
  const UniqueFd file = file_of(blob);
  return extract_layer(file.get(), std::nullopt, dir.fd(), options);
}

static void refused(const std::string &blob, const char *step, const char *why,
                    const LayerOptions &options = {}) {
  ScratchDir dir;
  auto layer = extract(dir, blob, options);
  CHECK(!layer);
  if (layer) return;
  CHECK_EQ(std::string(layer.error().step), step);
  if (layer.error().detail.find(why) == std::string::npos) CHECK_EQ(layer.error().detail, why);
}

static struct stat stat_of(const ScratchDir &dir, const char *name) {
  struct stat info = {};
  CHECK(fstatat(dir.fd(), name, &info, AT_SYMLINK_NOFOLLOW) == 0);
  return info;
}

static void test_encodings() {
  const std::string tar = tar_entry({"a"}, "hello") + tar_entry({"d/", '5'}) + tar_end();
  const size_t middle = tar.size() / 2;
  std::string small_members;  // the header of an entry across many tiny gzip members
  for (size_t at = 0; at < tar.size(); at += 100) small_members += packed(tar.substr(at, 100));
  for (const std::string &blob :
       {tar, packed(tar), packed(tar, true), packed(tar.substr(0, middle)) + packed(tar.substr(middle)),
        packed(tar.substr(0, middle), true) + packed(tar.substr(middle), true), small_members}) {
    ScratchDir dir;
    auto layer = extract(dir, blob);
    if (!CHECK_OK(layer)) continue;
    CHECK_EQ(layer->entries, 2u);
    CHECK_EQ(layer->bytes, 5u);
    CHECK_EQ(layer->blob_bytes, blob.size());
    CHECK_EQ(stat_of(dir, "a").st_size, 5);
  }
  ScratchDir dir;
  CHECK_OK(extract(dir, tar_end()));  // docker's empty layer
}

static void test_damage() {
  const std::string tar = tar_entry({"a"}, std::string(3000, 'x')) + tar_end();
  refused("", "open-layer", "empty");
  refused("this is no tar archive", "open-layer", "");
  refused(tar.substr(0, 1500), "read-entry", "");
  refused(packed(tar).substr(0, 40), "open-layer", "");
  std::string bad_sum = tar;
  bad_sum[0] = 'b';
  refused(bad_sum, "open-layer", "");
  refused(tar_entry({"x", 'Z'}) + tar_end(), "read-entry", "unknown type");
  // The same where the header lies at the end of the block before: libarchive's
  // and ours must not disagree.
  refused(packed(tar_entry({"x", 'Z'})) + packed(tar_end()), "read-entry", "unknown type");
  refused(tar_pax("size", "-5") + tar_entry({"x"}, "data") + tar_end(), "read-entry", "negative");
  refused(tar_pax("size", "99999999") + tar_entry({"x"}, "data") + tar_end(), "read-entry", "");
  refused(tar_entry({"PaxHeaders/x", 'x'}, "999 path=x\n") + tar_entry({"x"}) + tar_end(), "read-entry",
          "malformed");
  refused(tar_pax("uid", "4294967295") + tar_entry({"x"}) + tar_end(), "read-entry", "owner");
  refused(tar_pax("uid", "4294967296") + tar_entry({"x"}) + tar_end(), "read-entry", "owner");
}

static void test_limits() {
  LayerOptions few;
  few.max_entries = 3;
  std::string many;
  for (int i = 0; i < 4; i++) many += tar_entry({"f" + std::to_string(i)});
  refused(many + tar_end(), "layer-limit", "more than 3 entries", few);
  LayerOptions small;
  small.limits.max_bytes = 8000;
  refused(tar_entry({"f"}, std::string(9000, 'x')) + tar_end(), "layer-limit", "", small);
  // A sparse entry claims without carrying.
  refused(tar_pax("GNU.sparse.map", "0,1,100000,1") + tar_pax("GNU.sparse.size", "200000") + tar_end(),
          "read-entry", "", small);
  LayerOptions ratio;
  ratio.limits.ratio_free = 100'000;
  ratio.limits.max_ratio = 100;
  refused(packed(tar_entry({"f"}, std::string(10 << 20, '\0'))), "layer-limit", "bomb", ratio);
  LayerOptions proof;
  proof.diff_id = "sha256:" + std::string(64, '0');
  refused(tar_end(), "verify-diff-id", "expected sha256:0000", proof);
  LayerOptions digest;
  digest.blob_digest = proof.diff_id;
  refused(tar_end(), "verify-digest", "expected sha256:0000", digest);
}

static void test_links() {
  refused(tar_entry({"l", '1', "/etc/passwd"}) + tar_end(), "read-entry", "hard link target");
  refused(tar_entry({"l", '1', "../../etc/passwd"}) + tar_end(), "read-entry", "hard link target");
  refused(tar_entry({"l", '1', "later"}) + tar_entry({"later"}) + tar_end(), "make-hardlink",
          "before the link");
  refused(tar_entry({"d/", '5'}) + tar_entry({"l", '1', "d"}) + tar_end(), "make-hardlink", "no file");
  // Through an absolute link: the target is looked up in the layer, and is not
  // there.
  refused(tar_entry({"root", '2', "/"}) + tar_entry({"l", '1', "root/etc/passwd"}) + tar_end(),
          "make-hardlink", "");
  ScratchDir dir;
  if (!CHECK_OK(extract(dir, tar_entry({"s", '2', "/etc/passwd"}) + tar_entry({"h", '1', "s"}) +
                                 tar_entry({"f"}, "one") + tar_entry({"g", '1', "f"}) +
                                 tar_entry({"g", '1', "g"}) + tar_end())))
    return;
  CHECK(S_ISLNK(stat_of(dir, "h").st_mode));  // the link itself got a second name
  CHECK_EQ(stat_of(dir, "f").st_nlink, 2u);
  CHECK_EQ(stat_of(dir, "g").st_ino, stat_of(dir, "f").st_ino);
}

static void test_replacement() {
  ScratchDir dir;
  const std::string blob = tar_entry({"x"}, "file") + tar_entry({"x/", '5'}) + tar_entry({"x/in"}, "1") +
                           tar_entry({"y/", '5'}) + tar_entry({"x", '2', "y"}) +
                           tar_entry({"x/through"}, "2") + tar_entry({"z"}, "first") +
                           tar_entry({"z"}, "second one") + tar_end();
  if (!CHECK_OK(extract(dir, blob))) return;
  CHECK(S_ISLNK(stat_of(dir, "x").st_mode));
  CHECK_EQ(stat_of(dir, "y/through").st_size, 1);
  CHECK_EQ(stat_of(dir, "z").st_size, 10);
}

static bool opaque(const ScratchDir &dir, const char *name) {
  char value = 0;
  return lgetxattr(dir.path(name).c_str(), "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

static void test_whiteouts() {
  ScratchDir dir;
  const std::string blob = tar_entry({"a/", '5'}) + tar_entry({"a/.wh.gone"}) + tar_entry({"b/", '5'}) +
                           tar_entry({"b/kept"}) + tar_entry({"b/.wh..wh..opq"}) + tar_entry({"c/", '5'}) +
                           tar_entry({".wh.c"}) + tar_entry({".wh.d"}) + tar_entry({"d/new"}) +
                           tar_entry({"e"}, "mine") + tar_entry({".wh.e"}) + tar_end();
  auto layer = extract(dir, blob);
  if (!CHECK_OK(layer)) return;
  const struct stat gone = stat_of(dir, "a/gone");
  CHECK(S_ISCHR(gone.st_mode) && gone.st_rdev == makedev(0, 0));
  CHECK(opaque(dir, "b") && opaque(dir, "c") && opaque(dir, "d") && !opaque(dir, "a"));
  CHECK(S_ISREG(stat_of(dir, "b/kept").st_mode) && S_ISREG(stat_of(dir, "d/new").st_mode));
  CHECK(S_ISREG(stat_of(dir, "e").st_mode));
  CHECK(!layer->opaque_root);
  ScratchDir top;
  auto whole = extract(top, tar_entry({".wh..wh..opq"}) + tar_end());
  CHECK(whole && whole->opaque_root);
  refused(tar_entry({".wh.x"}) + tar_entry({"h", '1', "x"}) + tar_end(), "make-hardlink", "no file");
}

static void test_attributes() {
  ScratchDir dir;
  const std::string blob = tar_pax("SCHILY.xattr.trusted.overlay.redirect", "/x") + tar_entry({"a"}) +
                           tar_pax("SCHILY.xattr.user.overlay.opaque", "y") + tar_entry({"b/", '5'}) +
                           tar_pax("SCHILY.xattr.security.selinux", "z") + tar_entry({"c"}) +
                           tar_entry({"s", '0', "", 06755, 1000}) + tar_entry({"null", '3'}) +
                           tar_entry({"p", '6'}) + tar_end();
  auto layer = extract(dir, blob);
  if (!CHECK_OK(layer)) return;
  CHECK_EQ(layer->xattrs_dropped, 3u);
  CHECK_EQ(layer->devices_skipped, 1u);
  CHECK_EQ(llistxattr(dir.path("a").c_str(), nullptr, 0), 0);
  CHECK_EQ(stat_of(dir, "s").st_mode & 07777u, 06755u);
  CHECK_EQ(stat_of(dir, "s").st_uid, 1000u);
  CHECK(S_ISFIFO(stat_of(dir, "p").st_mode));
  struct stat info;
  CHECK(fstatat(dir.fd(), "null", &info, AT_SYMLINK_NOFOLLOW) != 0);
}

static void test_names_are_bytes() {
  ScratchDir dir;
  const std::string nfd = "cafe\xcc\x81", nfc = "caf\xc3\xa9", junk = "a\xff\xfe";
  if (!CHECK_OK(extract(dir, tar_pax("path", nfd) + tar_entry({"x"}) + tar_pax("path", nfc) +
                                 tar_entry({"x"}) + tar_pax("path", junk) + tar_entry({"x"}) + tar_end())))
    return;
  for (const std::string &name : {nfd, nfc, junk}) stat_of(dir, name.c_str());
}

static void test_deep_removal() {
  ScratchDir dir;
  // Deeper than PATH_MAX and than any descriptor limit: built by moving the
  // tree down level by level.
  CHECK(mkdirat(dir.fd(), "t", 0700) == 0);
  for (int i = 0; i < 3000; i++) {
    CHECK(mkdirat(dir.fd(), "n", 0700) == 0);
    CHECK(renameat(dir.fd(), "t", dir.fd(), "n/t") == 0);
    CHECK(renameat(dir.fd(), "n", dir.fd(), "t") == 0);
  }
  CHECK_OK(remove_tree(dir.fd(), "t"));
  CHECK(faccessat(dir.fd(), "t", F_OK, 0) != 0);
  CHECK(unlinkat(AT_FDCWD, dir.path("").c_str(), AT_REMOVEDIR) == 0);  // nothing was left beside it
}

static void test_index() {
  const UniqueFd file = file_of(tar_entry({"./a/", '5'}) + tar_entry({"a/b"}, "hello") +
                                tar_entry({"l", '2', "a/b"}) + tar_end());
  std::string seen;
  CHECK_OK(index_tar(file.get(), [&](const IndexEntry &entry) {
    seen += entry.name + " " + entry.type + " " + std::to_string(entry.offset) + "+" +
            std::to_string(entry.size) + ";";
  }));
  CHECK_EQ(seen, "a directory 512+0;a/b file 1024+5;l symlink 2048+0;");
  for (const std::string &bad :
       {tar_entry({"../x"}), tar_entry({"/x"}), tar_entry({"x", '3'}), tar_entry({"a\nb"})}) {
    const UniqueFd evil = file_of(bad + tar_end());
    CHECK(!index_tar(evil.get(), [](const IndexEntry &) {}));
  }
  const UniqueFd cut = file_of(tar_entry({"x"}, std::string(100'000, 'x')).substr(0, 50'000));
  auto truncated = index_tar(cut.get(), [](const IndexEntry &) {});
  CHECK(!truncated && truncated.error().detail.find("truncated") != std::string::npos);
}

int main() {
  test_encodings();
  test_damage();
  test_limits();
  test_links();
  test_replacement();
  test_whiteouts();
  test_attributes();
  test_names_are_bytes();
  test_deep_removal();
  test_index();
  return check_report();
}
