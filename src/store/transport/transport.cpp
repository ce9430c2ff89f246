#include "reelyard/store/transport/transport.hpp"

#include <algorithm>
#include <array>

#include "reelyard/base/error.hpp"

#include "transport_collective.hpp"

namespace reelyard::store {
namespace {

struct Entry {
    std::string_view name;
    std::unique_ptr<Transport> (*make)(const StoreFile& file, const mpi::Communicator& world);
};

constexpr std::array<Entry, 1> transports{{{"collective", make_collective_transport}}};

}  // namespace

std::unique_ptr<Transport> make_transport(std::string_view name,
                                          const StoreFile& file,
                                          const mpi::Communicator& world) {
    const auto* found = std::find_if(
        transports.begin(), transports.end(), [&](const Entry& e) { return e.name == name; });
    require(found != transports.end(),
            ErrorKind::usage,
            "'{}' is no way to read weights (expected one of: {})",
            name,
            fmt::join(transport_names(), ", "));
    return found->make(file, world);
}

std::vector<std::string> transport_names() {
    std::vector<std::string> names(transports.size());
    std::transform(transports.begin(), transports.end(), names.begin(), [](const Entry& entry) {
        return std::string(entry.name);
    });
    return names;
}

}  // namespace reelyard::store
