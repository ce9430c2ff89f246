#pragma once

#include <cstdint>

namespace reelyard::store {

/// A file of `bytes` in memory that has no name and gives huge pages (2 MiB) to mappings that are
/// advised to take them, whatever the mount of /dev/shm says. It lies in a tmpfs of its own, which
/// goes with the last use of the file and which a process without privileges may mount in a user
/// namespace of its own (tmpfs(5), user_namespaces(7)).
/// \returns its descriptor, closed on exec
/// \throws Error (resources) where the system forbids it, with the step that was refused
[[nodiscard]] int open_huge_page_file(std::int64_t bytes);

}  // namespace reelyard::store
