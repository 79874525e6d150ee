// ResolveHref resolves references between the parts of a container: "../Text/ch%201.xhtml#top" as
// seen from "OEBPS/toc.ncx".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tome {

struct PartReference {
  std::string path;      // normalized as entry names are (archive.h)
  std::string fragment;  // what follows '#', percent-decoded; may be empty
};

// Returns nullopt for a reference to no part of the container: another scheme ("https:"), an empty
// reference, or a path that climbs out. A bare "#fragment" means `base_part` itself, and a leading
// "/" means the top of the container. A query is dropped.
std::optional<PartReference> ResolveHref(std::string_view base_part, std::string_view href);

}  // namespace tome
