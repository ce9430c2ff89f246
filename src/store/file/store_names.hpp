#pragma once

#include <string>

/// Names inside a store, as documented in docs/formats/weight_store.md.
namespace reelyard::store::names {

inline constexpr const char* format_attribute = "format";
inline constexpr const char* format = "reelyard weight store";
inline constexpr const char* version_attribute = "schema_version";
inline constexpr const char* index = "index";
inline constexpr const char* index_checksum = "index_xxh3_64";

/// The dataset of an embedded file.
inline std::string file(const std::string& path) {
    return "files/" + path;
}
/// The dataset of a component's slab.
inline std::string slab(const std::string& component) {
    return "slabs/" + component;
}

}  // namespace reelyard::store::names
