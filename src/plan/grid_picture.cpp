#include "reelyard/plan/grid_picture.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/format.hpp"

namespace reelyard::plan {
namespace {

using Box = std::vector<std::string>;  ///< lines

constexpr std::size_t boxes_in_a_row = 8;

/// Where a rank computes, and what it does.
Box box_of(int rank,
           const topology::Place& place,
           const ParallelLayout& layout,
           std::optional<int> position) {
    Box box{place.gpu >= 0 ? fmt::format("gpu {}", place.gpu) : fmt::format("numa {}", place.numa),
            fmt::format("rank {}", rank)};
    if (!position) {
        box.emplace_back("spare");
        return box;
    }
    const GridPosition at = position_of(*position, layout);
    const auto add = [&box](const char* name, int degree, int index) {
        if (degree > 1) {
            box.push_back(fmt::format("{} {}", name, index));
        }
    };
    box.push_back(fmt::format("replica {}", at.replica));
    add("cfg", layout.cfg, at.cfg);
    add("ring", layout.ring, at.ring);
    add("ulysses", layout.ulysses, at.ulysses);
    add("tensor", layout.tensor, at.tensor);
    return box;
}

std::string row_text(const std::vector<Box>& boxes, std::size_t first, std::size_t last) {
    std::size_t width = 0;
    std::size_t height = 0;
    for (const Box& box : boxes) {
        height = std::max(height, box.size());
        for (const std::string& line : box) {
            width = std::max(width, line.size());
        }
    }
    std::string edge = "  +";
    for (std::size_t i = first; i < last; ++i) {
        edge += std::string(width + 2, '-') + '+';
    }
    std::string text = edge + '\n';
    for (std::size_t line = 0; line < height; ++line) {
        text += "  |";
        for (std::size_t i = first; i < last; ++i) {
            const std::string& content = line < boxes[i].size() ? boxes[i][line] : "";
            text += fmt::format(" {:<{}} |", content, width);
        }
        text += '\n';
    }
    return text + edge + '\n';
}

/// "node-1: 8 x NVIDIA H100 80GB HBM3, 80 GiB, nvlink".
std::string title_of(const topology::Node& node) {
    if (node.gpus.empty()) {
        return fmt::format("{}: {} cores in {} NUMA domain{}, {}",
                           node.name,
                           node.cores(),
                           node.numa.size(),
                           node.numa.size() == 1 ? "" : "s",
                           format_bytes(node.memory_bytes));
    }
    std::set<int> islands;
    for (const topology::Gpu& gpu : node.gpus) {
        islands.insert(gpu.island);
    }
    const topology::Link& link = islands.size() == 1 || node.gpus.size() == islands.size()
                                     ? node.gpu_link
                                     : node.island_link;
    return fmt::format("{}: {} x {}, {}, {}",
                       node.name,
                       node.gpus.size(),
                       node.gpus.front().model,
                       format_bytes(node.gpus.front().memory_bytes),
                       to_string(islands.size() == 1 ? node.island_link.kind : link.kind));
}

}  // namespace

std::string grid_picture(const ParallelLayout& layout,
                         const topology::Inventory& inventory,
                         const std::vector<int>& placement) {
    std::map<int, int> place_of_rank;
    for (std::size_t place = 0; place < placement.size(); ++place) {
        place_of_rank[placement[place]] = static_cast<int>(place);
    }
    std::string text;
    for (std::size_t node = 0; node < inventory.nodes.size(); ++node) {
        std::vector<Box> boxes;
        for (std::size_t rank = 0; rank < inventory.ranks.size(); ++rank) {
            if (inventory.ranks[rank].node != static_cast<int>(node)) {
                continue;
            }
            const auto found = place_of_rank.find(static_cast<int>(rank));
            boxes.push_back(
                box_of(static_cast<int>(rank),
                       inventory.ranks[rank],
                       layout,
                       found == place_of_rank.end() ? std::optional<int>() : found->second));
        }
        text += title_of(inventory.nodes[node]) + '\n';
        for (std::size_t first = 0; first < boxes.size(); first += boxes_in_a_row) {
            text += row_text(boxes, first, std::min(boxes.size(), first + boxes_in_a_row));
        }
    }
    return text;
}

}  // namespace reelyard::plan
