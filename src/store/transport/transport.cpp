#include "reelyard/store/transport/transport.hpp"

#include <algorithm>
#include <array>

#include "reelyard/base/error.hpp"

#include "transport/file_system_kind.hpp"
#include "transport/transport_collective.hpp"
#include "transport/transport_direct.hpp"

namespace reelyard::store {
namespace {

struct Entry {
    std::string_view name;
    std::unique_ptr<Transport> (*make)(const StoreFile& file,
                                       const std::string& component,
                                       const mpi::Communicator& world);
};

constexpr std::string_view automatic = "auto";
constexpr std::array transports{
    Entry{"collective", make_collective_transport},
    Entry{"direct", make_direct_transport},
};

const Entry* find(std::string_view name) {
    const auto* found = std::find_if(
        transports.begin(), transports.end(), [&](const Entry& e) { return e.name == name; });
    require(found != transports.end(),
            ErrorKind::usage,
            "'{}' is no way to read weights (expected one of: {})",
            name,
            fmt::join(transport_names(), ", "));
    return found;
}

}  // namespace

TransportChoice choose_transport(std::string_view asked,
                                 const std::filesystem::path& store,
                                 int nodes) {
    if (asked == automatic) {
        return transport_for(file_system_of(store), nodes);
    }
    return {.name = std::string(find(asked)->name), .reason = "asked for"};
}

std::unique_ptr<Transport> make_transport(std::string_view name,
                                          const StoreFile& file,
                                          const std::string& component,
                                          const mpi::Communicator& world) {
    return find(name)->make(file, component, world);
}

std::vector<std::string> transport_names() {
    std::vector<std::string> names{std::string(automatic)};
    for (const Entry& entry : transports) {
        names.emplace_back(entry.name);
    }
    return names;
}

}  // namespace reelyard::store
