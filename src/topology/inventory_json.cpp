#include <array>
#include <cmath>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/topology/inventory.hpp"
#include "reelyard/topology/node_probe.hpp"

#include "core_list.hpp"

namespace reelyard::topology {
namespace {

using json = nlohmann::ordered_json;

constexpr std::array link_kinds{LinkKind::none,
                                LinkKind::memory,
                                LinkKind::socket,
                                LinkKind::pcie,
                                LinkKind::nvlink,
                                LinkKind::network};
constexpr std::int64_t most_copies = 100'000;

/// A value of the file and where it stands there.
class Item {
public:
    /// \param place of the file: its name
    Item(const json& value, std::string place, bool is_file = false)
        : value_(&value)
        , place_(std::move(place))
        , is_file_(is_file) {}

    /// Refuses what is no object, and keys that are not among these.
    void expect_object(std::initializer_list<std::string_view> keys) const {
        if (!value_->is_object()) {
            refuse("an object");
        }
        for (const auto& [key, value] : value_->items()) {
            const bool known = std::find(keys.begin(), keys.end(), key) != keys.end();
            require(known,
                    ErrorKind::input,
                    "{}: unknown key '{}' (expected one of: {})",
                    place_,
                    key,
                    fmt::join(keys, ", "));
        }
    }

    [[nodiscard]] bool has(const std::string& key) const { return value_->contains(key); }

    [[nodiscard]] Item at(const std::string& key) const {
        require(has(key), ErrorKind::input, "{}: '{}' is missing", place_, key);
        return {(*value_)[key], place_ + (is_file_ ? ": " : ".") + key};
    }

    /// The elements of a list; none when the key is missing.
    [[nodiscard]] std::vector<Item> list(const std::string& key) const {
        if (!has(key)) {
            return {};
        }
        const Item found = at(key);
        if (!found.value_->is_array()) {
            found.refuse("a list");
        }
        std::vector<Item> items;
        for (std::size_t index = 0; index < found.value_->size(); ++index) {
            items.emplace_back((*found.value_)[index], fmt::format("{}[{}]", found.place_, index));
        }
        return items;
    }

    [[nodiscard]] std::string text() const {
        if (!value_->is_string()) {
            refuse("a text");
        }
        return value_->get<std::string>();
    }

    [[nodiscard]] double positive_number() const {
        if (!value_->is_number() || !(value_->get<double>() >= 0)) {
            refuse("a number, not below 0");
        }
        return value_->get<double>();
    }

    /// \param end smallest number that is too large
    [[nodiscard]] int integer(std::int64_t first, std::int64_t end) const {
        const bool good = value_->is_number_integer() && value_->get<std::int64_t>() >= first &&
                          value_->get<std::int64_t>() < end;
        if (!good) {
            refuse(first == end ? "nothing: there is none to name"
                                : fmt::format("a whole number from {} to {}", first, end - 1));
        }
        return value_->get<int>();
    }

    [[noreturn]] void refuse(const std::string& expected) const {
        fail(ErrorKind::input, "{} is {} (expected {})", place_, value_->dump(), expected);
    }

private:
    const json* value_;  ///< the parsed file, which outlives all items
    std::string place_;
    bool is_file_;
};

double number_or_zero(const Item& item, const std::string& key) {
    return item.has(key) ? item.at(key).positive_number() : 0;
}

int integer_or_zero(const Item& item, const std::string& key, std::int64_t end) {
    return item.has(key) ? item.at(key).integer(0, end) : 0;
}

std::int64_t bytes_of(const Item& item) {
    return std::llround(item.positive_number() * static_cast<double>(gibibyte));
}

int copies_of(const Item& item) {
    return item.has("count") ? item.at("count").integer(1, most_copies) : 1;
}

std::vector<int> read_cores(const Item& item) {
    const auto cores = parse_core_list(item.text());
    if (!cores) {
        item.refuse("core numbers such as \"0-23,48-71\"");
    }
    return *cores;
}

Link read_link(const Item& item, const std::string& key) {
    if (!item.has(key)) {
        return {};
    }
    const Item found = item.at(key);
    found.expect_object({"kind", "gb_per_s"});
    const Item kind = found.at("kind");
    const auto* known = std::find_if(link_kinds.begin(), link_kinds.end(), [&](LinkKind each) {
        return to_string(each) == kind.text();
    });
    if (known == link_kinds.end()) {
        kind.refuse("none, memory, socket, pcie, nvlink or network");
    }
    return {.kind = *known, .gb_per_s = number_or_zero(found, "gb_per_s")};
}

NumaDomain read_domain(const Item& item) {
    item.expect_object({"cores", "memory_gib", "memory_gb_per_s"});
    return {.cores = read_cores(item.at("cores")),
            .memory_bytes = bytes_of(item.at("memory_gib")),
            .memory_gb_per_s = number_or_zero(item, "memory_gb_per_s")};
}

Gpu read_gpu(const Item& item, const Node& node) {
    item.expect_object({"count", "model", "memory_gib", "numa", "island"});
    return {.model = item.at("model").text(),
            .memory_bytes = bytes_of(item.at("memory_gib")),
            .numa = integer_or_zero(item, "numa", static_cast<std::int64_t>(node.numa.size())),
            .island = integer_or_zero(item, "island", most_copies)};
}

Node read_node(const Item& item) {
    item.expect_object(
        {"count", "name", "memory_gib", "numa", "numa_link", "gpus", "island_link", "gpu_link"});
    Node node{.name = item.at("name").text(),
              .numa = {},
              .gpus = {},
              .island_link = read_link(item, "island_link"),
              .gpu_link = read_link(item, "gpu_link"),
              .numa_link = read_link(item, "numa_link"),
              .memory_bytes = bytes_of(item.at("memory_gib"))};
    for (const Item& domain : item.list("numa")) {
        node.numa.push_back(read_domain(domain));
    }
    if (node.numa.empty()) {
        item.at("numa").refuse("at least one domain");
    }
    for (const Item& gpu : item.list("gpus")) {
        node.gpus.insert(
            node.gpus.end(), static_cast<std::size_t>(copies_of(gpu)), read_gpu(gpu, node));
    }
    return node;
}

Place read_place(const Item& item, const std::vector<Node>& nodes) {
    item.expect_object({"node", "numa", "gpu", "cores"});
    Place place;
    place.node = item.at("node").integer(0, static_cast<std::int64_t>(nodes.size()));
    const Node& node = nodes[static_cast<std::size_t>(place.node)];
    place.numa = integer_or_zero(item, "numa", static_cast<std::int64_t>(node.numa.size()));
    if (item.has("gpu")) {
        place.gpu = item.at("gpu").integer(0, static_cast<std::int64_t>(node.gpus.size()));
    }
    place.cores = read_cores(item.at("cores"));
    return place;
}

std::string read_comment(const Item& root) {
    if (!root.has("comment")) {
        return "";
    }
    std::vector<std::string> lines;
    for (const Item& line : root.list("comment")) {
        lines.push_back(line.text());
    }
    return fmt::format("{}", fmt::join(lines, "\n"));
}

Inventory read_cluster(const Item& root) {
    root.expect_object({"comment", "network_gb_per_s", "nodes", "ranks"});
    Inventory inventory{.comment = read_comment(root),
                        .nodes = {},
                        .network_gb_per_s = number_or_zero(root, "network_gb_per_s"),
                        .ranks = {}};
    for (const Item& item : root.list("nodes")) {
        const Inventory one{.comment = "", .nodes = {read_node(item)}, .ranks = {}};
        const auto copies = with_nodes(one, copies_of(item)).nodes;
        inventory.nodes.insert(inventory.nodes.end(), copies.begin(), copies.end());
    }
    if (inventory.nodes.empty()) {
        root.at("nodes").refuse("at least one node");
    }
    for (const Item& item : root.list("ranks")) {
        inventory.ranks.push_back(read_place(item, inventory.nodes));
    }
    return inventory;
}

double gib(std::int64_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(gibibyte);
}

/// Leaves out what is not known.
void write_link(json& object, const std::string& key, const Link& link) {
    if (link != Link{}) {
        object[key] = {{"kind", to_string(link.kind)}, {"gb_per_s", link.gb_per_s}};
    }
}

json write_node(const Node& node) {
    json domains = json::array();
    for (const NumaDomain& domain : node.numa) {
        domains.push_back({{"cores", core_list_text(domain.cores)},
                           {"memory_gib", gib(domain.memory_bytes)},
                           {"memory_gb_per_s", domain.memory_gb_per_s}});
    }
    json gpus = json::array();
    for (const Gpu& gpu : node.gpus) {
        gpus.push_back({{"model", gpu.model},
                        {"memory_gib", gib(gpu.memory_bytes)},
                        {"numa", gpu.numa},
                        {"island", gpu.island}});
    }
    json object{{"name", node.name},
                {"memory_gib", gib(node.memory_bytes)},
                {"numa", std::move(domains)},
                {"gpus", std::move(gpus)}};
    write_link(object, "numa_link", node.numa_link);
    write_link(object, "island_link", node.island_link);
    write_link(object, "gpu_link", node.gpu_link);
    return object;
}

json write_place(const Place& place) {
    json object{{"node", place.node}, {"numa", place.numa}, {"cores", core_list_text(place.cores)}};
    if (place.gpu >= 0) {
        object["gpu"] = place.gpu;
    }
    return object;
}

json write_comment(const std::string& comment) {
    json lines = json::array();
    for (std::size_t start = 0; start <= comment.size();) {
        const std::size_t end = std::min(comment.find('\n', start), comment.size());
        lines.push_back(comment.substr(start, end - start));
        start = end + 1;
    }
    return lines;
}

}  // namespace

Inventory inventory_from_json(const std::string& text, const std::string& name) {
    json parsed;
    try {
        parsed = json::parse(text);
    } catch (const json::parse_error& error) {
        const std::string_view why = error.what();
        fail(ErrorKind::input,
             "{}: not JSON: {} (expected a description of nodes)",
             name,
             why.substr(why.find("] ") == std::string_view::npos ? 0 : why.find("] ") + 2));
    }
    return read_cluster(Item(parsed, name, true));
}

std::string to_json(const Inventory& inventory) {
    json object;
    if (!inventory.comment.empty()) {
        object["comment"] = write_comment(inventory.comment);
    }
    object["network_gb_per_s"] = inventory.network_gb_per_s;
    object["nodes"] = json::array();
    for (const Node& node : inventory.nodes) {
        object["nodes"].push_back(write_node(node));
    }
    if (!inventory.ranks.empty()) {
        object["ranks"] = json::array();
        for (const Place& place : inventory.ranks) {
            object["ranks"].push_back(write_place(place));
        }
    }
    return object.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

Inventory read_inventory(const std::string& path) {
    if (path.ends_with(".xml")) {
        return {.comment = "", .nodes = {node_from_hwloc_xml(path)}, .ranks = {}};
    }
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    require(file.is_open() && !file.bad(), ErrorKind::input, "{}: cannot be read", path);
    return inventory_from_json(text, path);
}

}  // namespace reelyard::topology
