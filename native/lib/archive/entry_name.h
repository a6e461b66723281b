// Names of archive entries: what they may look like and what OCI layers mean by them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "lib/result.h"

namespace edgepod {

// PATH_MAX is 4096 and includes the place the layer is extracted to.
inline constexpr size_t kMaxEntryPath = 3072;
inline constexpr size_t kMaxEntryComponent = 255;

enum class NameKind {
  Root,      // "./": the top directory itself
  Plain,     // a file, directory, link, …
  Whiteout,  // ".wh.NAME": NAME of the lower layers is hidden; `base` is NAME
  Opaque,    // ".wh..wh..opq": everything of the lower layers in `parent` is hidden
  Reserved,  // ".wh..wh.*": bookkeeping of AUFS, nothing to extract
};

struct EntryName {
  NameKind kind = NameKind::Plain;
  std::string parent;  // "" for the top directory, else "a/b": no leading, trailing or double slash, no dots
  std::string base;    // last component
  std::string path() const { return parent.empty() ? base : parent + "/" + base; }
};

// Takes a raw name apart. Refused, with the name in the detail: empty, absolute, with a ".." component, too
// long, or using the whiteout prefix where it means nothing (OCI image-spec layer.md: ".wh." with an empty
// name is invalid).
Result<EntryName> parse_layer_name(std::string_view raw);

// The same for archives in which ".wh." means nothing (the outer archive of an image).
Result<EntryName> parse_plain_name(std::string_view raw);

// A name as it may appear in a message: control and non-ASCII bytes as \xNN, cut after 200 bytes.
std::string quoted_name(std::string_view raw);

}  // namespace edgepod
